//! Numbers as people of a country write them. For the eye only: what phones store and dial again is the number itself.

use alloc::{format, string::String};

use selsius_site::TonePlan;

/// A number as it is written in the country of these tones; what does not look like a number of that country, or is
/// too short to have an area code, stays as it is.
pub(crate) fn national(country: TonePlan, number: &str) -> String {
    let own = match country {
        TonePlan::UnitedStates => "+1",
        TonePlan::Germany => "+49",
        TonePlan::UnitedKingdom => "+44",
        TonePlan::France => "+33",
    };
    let (inland, rest) = match number.strip_prefix(own) {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    if !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.into();
    }
    let national = match country {
        TonePlan::UnitedStates => (rest.len() == 10).then(|| rest.into()),
        _ if inland => Some(format!("0{rest}")),
        _ => rest.starts_with('0').then(|| rest.into()),
    };
    let grouped = national.as_deref().and_then(|national: &str| match country {
        TonePlan::UnitedStates => north_america(national),
        TonePlan::Germany => germany(national),
        TonePlan::UnitedKingdom => united_kingdom(national),
        TonePlan::France => france(national),
    });
    grouped.or(national).unwrap_or_else(|| number.into())
}

/// (212) 555-0100.
fn north_america(number: &str) -> Option<String> {
    let (area, exchange, line) = (number.get(..3)?, number.get(3..6)?, number.get(6..)?);
    Some(format!("({area}) {exchange}-{line}"))
}

/// Area codes have two to five digits; those of the four largest cities and of mobile networks can be told.
fn germany(number: &str) -> Option<String> {
    const CITIES: [&str; 4] = ["030", "040", "069", "089"];
    let mobile = ["015", "016", "017"].iter().any(|prefix| number.starts_with(prefix));
    let area = if mobile { 4 } else { CITIES.iter().find(|city| number.starts_with(**city))?.len() };
    let (area, rest) = (number.get(..area)?, number.get(area..)?);
    (rest.len() > 2).then(|| format!("{area} {rest}"))
}

/// 020 7946 0000, 0121 496 0000, 07700 900000 (the plan's numbers with 11 digits).
fn united_kingdom(number: &str) -> Option<String> {
    if number.len() != 11 {
        return None;
    }
    let (first, second) = match number.as_bytes() {
        [b'0', b'2', ..] => (3, 7),
        [b'0', b'1', b'1', ..] | [b'0', b'1', _, b'1', ..] => (4, 7),
        _ => return Some(format!("{} {}", number.get(..5)?, number.get(5..)?)),
    };
    Some(format!("{} {} {}", number.get(..first)?, number.get(first..second)?, number.get(second..)?))
}

/// 01 99 00 12 34.
fn france(number: &str) -> Option<String> {
    if number.len() != 10 {
        return None;
    }
    let mut grouped = String::new();
    for (at, digit) in number.chars().enumerate() {
        if at > 0 && at % 2 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    Some(grouped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_their_country_writes_them() {
        use TonePlan::{France, Germany, UnitedKingdom, UnitedStates};
        for (country, number, shown) in [
            (UnitedStates, "+12125550100", "(212) 555-0100"),
            (UnitedStates, "2125550100", "(212) 555-0100"),
            (UnitedStates, "1001", "1001"),
            (UnitedStates, "+442079460000", "+442079460000"),
            (UnitedStates, "+1212", "+1212"),
            (Germany, "+493012345678", "030 12345678"),
            (Germany, "01511234567", "0151 1234567"),
            (Germany, "+496221123456", "06221123456"),
            (Germany, "030", "030"),
            (Germany, "1001", "1001"),
            (Germany, "+12125550100", "+12125550100"),
            (UnitedKingdom, "+442079460000", "020 7946 0000"),
            (UnitedKingdom, "01214960000", "0121 496 0000"),
            (UnitedKingdom, "01134960000", "0113 496 0000"),
            (UnitedKingdom, "07700900000", "07700 900000"),
            (UnitedKingdom, "0800", "0800"),
            (France, "+33199001234", "01 99 00 12 34"),
            (France, "0199001234", "01 99 00 12 34"),
            (France, "15", "15"),
            (France, "*21*0199#", "*21*0199#"),
            (France, "", ""),
        ] {
            assert_eq!(national(country, number), shown, "{number} in {country}");
        }
    }
}
