//! The random users' office: its dial plan, its paging groups, and phones that answer by themselves.

use std::error::Error;

use selsius_site::{
    Action, AutoAnswer, CallCode, CallerId, CodeDemand, CodeKind, LineNumber, NameError, PagingGroup,
    PagingMode, Pattern, Rights, Route, Schedule, Secret, Site,
};

/// A group of all phones, by multicast.
pub(crate) const ALL_PAGE: &str = "4000";
/// One of the first phones, by unicast.
pub(crate) const FEW_PAGE: &str = "4001";
/// What may be dialled in front of a number: intercom, a hidden number, an account.
pub(crate) const CODES: [&str; 4] = ["*80", "*67", "*711234", "*7777"];
/// Codes, and numbers that ask for one, lead to another one, are urgent, closed, or not everybody's.
pub(crate) const NUMBERS: [&str; 12] =
    ["1234#", "9999#", "666#", "5001", "5002", "5003", "5004", "5005", "5006", "51", "*711234#", "*67112"];

/// Adds them to the office of so many phones.
pub(crate) fn add(site: &mut Site, phones: usize) -> Result<(), Box<dyn Error>> {
    let number = |at: usize| (1001 + at % phones).to_string().parse::<LineNumber>();
    let lines = |count: usize| (0..count.min(phones)).map(number).collect::<Result<Vec<_>, _>>();
    let group = |mode, count| -> Result<PagingGroup, Box<dyn Error>> {
        let address = Some(([239, 1, 2, 3], 20_480).into());
        Ok(PagingGroup { name: "Page".into(), lines: lines(count)?, mode, address, ..PagingGroup::default() })
    };
    site.paging_groups.insert(ALL_PAGE.parse()?, group(PagingMode::Multicast, phones)?);
    site.paging_groups.insert(FEW_PAGE.parse()?, group(PagingMode::Unicast, 4)?);

    for (at, (_, line)) in site.lines.iter_mut().enumerate() {
        match at % 7 {
            1 => line.auto_answer = AutoAnswer::OneWay,
            2 => line.auto_answer = AutoAnswer::TwoWay,
            3 => line.caller_id = CallerId::Restricted,
            4 => line.rights = Some("few".parse()?),
            5 => line.account_code = true,
            6 => line.external_number = Some("+4930XXXX".parse()?),
            _ => {}
        }
    }
    site.rights.insert("few".parse()?, Rights { partitions: ["near".parse()?].into() });
    site.rights.insert("far".parse()?, Rights { partitions: ["far".parse()?].into() });
    let code = |digits: &str, kind| CallCode { code: Secret::new(digits), kind, ..CallCode::default() };
    site.codes.insert("project".parse()?, code("1234", CodeKind::Account));
    let boss = CallCode { rights: Some("far".parse()?), ..code("666", CodeKind::Authorisation) };
    site.codes.insert("boss".parse()?, boss);
    let night = Schedule { open: "daily 20:00-06:00".parse().into_iter().collect(), ..Schedule::default() };
    site.schedules.insert("night".parse()?, night);
    site.blocked.calling.push("1005".parse()?);

    let to = |at: usize| -> Result<Route, NameError> {
        Ok(Route { action: Action::Lines([number(at)?].into()), ..Route::default() })
    };
    let mut route = |pattern: &str, route: Route| -> Result<(), Box<dyn Error>> {
        site.routes.insert(pattern.parse::<Pattern>()?, route);
        Ok(())
    };
    route("5001", Route { code: CodeDemand::Authorisation, partition: Some("far".parse()?), ..to(1)? })?;
    route("5002", Route { code: CodeDemand::Account, ..to(2)? })?;
    route("5003", Route { action: Action::Number("5004".parse()?), ..Route::default() })?;
    route("5004", Route { schedule: Some("night".parse()?), otherwise: Some("5003".parse()?), ..to(0)? })?;
    route("5005", Route { partition: Some("near".parse()?), calling: Some("99XX".parse()?), ..to(3)? })?;
    route("5006", Route { partition: Some("far".parse()?), ..to(2)? })?;
    route("51", Route { urgent: true, ..to(1)? })?;
    route("51XX", to(2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_all_there() {
        let mut site = Site::default();
        for number in 1001..1009 {
            site.lines.entry(number.to_string().parse().unwrap()).or_default();
        }
        assert!(add(&mut site, 8).is_ok());
        assert_eq!((site.paging_groups.len(), site.codes.len(), site.routes.len()), (2, 2, 8));
        assert!(site.lines.values().any(|line| line.auto_answer == AutoAnswer::OneWay));
    }
}
