//! The call lists of a phone: those of its lines, out of the call records, newest first.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use jiff::{Timestamp, tz::TimeZone};
use selsius_exchange::record::{CallEnded, WallTime};
use selsius_phone_xml::{DirectoryEntry, MenuItem};
use selsius_site::LineNumber;
use selsius_store::CallFilter;

use super::{Services, Visit, directory};

/// Calls that are looked at, of each line.
const LOOKED_AT: u32 = 200;
/// Calls in a list.
const LISTED: usize = 100;

/// A list of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Missed,
    Received,
    Placed,
}

impl List {
    const ALL: [Self; 3] = [Self::Missed, Self::Received, Self::Placed];

    const fn name(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Received => "received",
            Self::Placed => "placed",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Missed => "Missed calls",
            Self::Received => "Received calls",
            Self::Placed => "Placed calls",
        }
    }

    /// Who is called back out of this list for a call of that line: name and number. `None` if the call is not in it.
    fn entry<'a>(self, call: &'a CallEnded, line: &str) -> Option<(&'a str, &'a str)> {
        let came_in = call.called.number == line && call.calling.number != line;
        let caller = (call.calling.name.as_str(), call.calling.number.as_str());
        match self {
            Self::Missed => (came_in && call.answered.is_none()).then_some(caller),
            Self::Received => (came_in && call.answered.is_some()).then_some(caller),
            // As it was dialled: that leads there again, whoever has answered.
            Self::Placed => (call.calling.number == line).then_some((&call.called.name, &call.dialed)),
        }
    }
}

/// The way to the lists, for the phone that asks.
pub(super) fn lists(visit: &Visit) -> Vec<MenuItem> {
    let Some(device) = &visit.device else { return Vec::new() };
    let item = |list: List| MenuItem {
        name: visit.say(list.title()).into(),
        url: visit.url(&format!("calls/{}/{}", device.as_str(), list.name()), &[]),
    };
    List::ALL.map(item).into()
}

/// A list of a phone, for that phone alone.
pub(super) async fn page(
    State(services): State<Arc<Services>>,
    Path((device, list)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let visit = visit.of(&device);
    let Some(list) = List::ALL.into_iter().find(|known| known.name() == list) else {
        return visit.text(StatusCode::NOT_FOUND, "Directories", "Not available");
    };
    let Some((name, device)) = visit.owner() else {
        return visit.text(StatusCode::FORBIDDEN, list.title(), "Not available");
    };
    let path = format!("calls/{}/{}", name.as_str(), list.name());
    let lines: Vec<_> = device.lines().cloned().collect();
    let entries = match entries(&services, &visit, list, &lines).await {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(%error, "a call list cannot be read");
            return visit.text(StatusCode::SERVICE_UNAVAILABLE, list.title(), "Not available");
        }
    };
    if entries.is_empty() {
        return visit.text(StatusCode::OK, list.title(), "No calls");
    }
    directory::list(&visit, list.title(), entries, |page| visit.url(&path, &[("page", &page.to_string())]))
}

async fn entries(
    services: &Services,
    visit: &Visit,
    list: List,
    lines: &[LineNumber],
) -> Result<Vec<DirectoryEntry>, selsius_store::StoreError> {
    let (zone, now) = (visit.zone(), Timestamp::now());
    let format = visit.device.as_ref().map(|device| visit.site.local(device).date_format);
    let format = format.unwrap_or(&visit.site.settings.date_format);
    // By id, since a call between two lines of the phone is found twice.
    let mut found = BTreeMap::new();
    for line in lines {
        let filter =
            CallFilter { newest: LOOKED_AT, number: Some(line.as_str().into()), ..CallFilter::default() };
        for record in services.store.calls(&filter).await? {
            let call = record.call;
            let Some((name, number)) = list.entry(&call, line.as_str()) else { continue };
            let who = [name, number].into_iter().find(|text| !text.is_empty());
            let who = who.unwrap_or(visit.say("Unknown"));
            let when = when(call.started, now, &zone, format);
            let entry = DirectoryEntry { name: format!("{when} {who}"), telephone: number.into() };
            found.insert(call.call, entry);
        }
    }
    Ok(found.into_values().rev().take(LISTED).collect())
}

/// The time of a call of today, else its date, as the phone writes it.
fn when(at: WallTime, now: Timestamp, zone: &TimeZone, format: &str) -> String {
    let at = zone.to_datetime(Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH));
    let twelve_hours = format.ends_with('A');
    if at.date() != zone.to_datetime(now).date() {
        let two = |number: i16| format!("{:02}", number.rem_euclid(100));
        let letters = format.trim_end_matches('A').chars();
        return letters
            .map(|letter| match letter {
                'D' => two(at.day().into()),
                'M' => two(at.month().into()),
                'Y' => two(at.year()),
                other => other.into(),
            })
            .collect();
    }
    let (hour, minute) = (at.hour(), at.minute());
    match (twelve_hours, hour) {
        (false, _) => format!("{hour:02}:{minute:02}"),
        (true, 0..12) => format!("{}:{minute:02}a", if hour == 0 { 12 } else { hour }),
        (true, _) => format!("{}:{minute:02}p", if hour == 12 { 12 } else { hour - 12 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_phones() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        let wall = |text: &str| WallTime(moment(text).as_microsecond());
        let now = moment("2026-11-27T20:00:00Z");
        for (at, format, expected) in [
            ("2026-11-27T19:05:00Z", "D.M.Y", "20:05"),
            ("2026-11-27T19:05:00Z", "M/D/YA", "8:05p"),
            ("2026-11-26T23:30:00Z", "M/D/YA", "12:30a"),
            ("2026-11-27T11:00:00Z", "M/D/YA", "12:00p"),
            ("2026-11-26T22:30:00Z", "D.M.Y", "26.11.26"),
            ("2026-01-02T12:00:00Z", "M/D/YA", "01/02/26"),
        ] {
            assert_eq!(when(wall(at), now, &zone, format), expected, "{at} {format}");
        }
    }
}
