//! Time zones by the names that phones know.
//!
//! While a phone is registered its clock shows what the manager sends (DefineTimeDate, local time); the zone in
//! its file matters before that and to models that ask a time server. So the common zones are enough.

/// The zone's name in a configuration file; Greenwich for a zone that is not in the table.
pub(crate) fn phone_zone(iana: Option<&str>) -> &'static str {
    const UNKNOWN: &str = "Greenwich Standard Time";
    let Some(zone) = iana else { return UNKNOWN };
    ZONES.iter().find(|(_, zones)| zones.contains(&zone)).map_or(UNKNOWN, |(name, _)| name)
}

const ZONES: &[(&str, &[&str])] = &[
    ("Hawaiian Standard Time", &["Pacific/Honolulu"]),
    ("Alaskan Standard/Daylight Time", &["America/Anchorage"]),
    ("Pacific Standard/Daylight Time", &["America/Los_Angeles", "America/Vancouver", "America/Tijuana"]),
    ("US Mountain Standard Time", &["America/Phoenix"]),
    ("Mountain Standard/Daylight Time", &["America/Denver", "America/Edmonton"]),
    ("Central Standard/Daylight Time", &["America/Chicago", "America/Winnipeg"]),
    ("Mexico Standard/Daylight Time", &["America/Mexico_City"]),
    ("Eastern Standard/Daylight Time", &["America/New_York", "America/Toronto", "America/Detroit"]),
    ("Atlantic Standard/Daylight Time", &["America/Halifax"]),
    ("Newfoundland Standard/Daylight Time", &["America/St_Johns"]),
    ("E. South America Standard/Daylight Time", &["America/Sao_Paulo"]),
    ("SA Eastern Standard Time", &["America/Argentina/Buenos_Aires", "America/Buenos_Aires"]),
    ("GMT Standard/Daylight Time", &["Europe/London", "Europe/Dublin", "Europe/Lisbon"]),
    (
        "W. Europe Standard/Daylight Time",
        &[
            "Europe/Amsterdam",
            "Europe/Berlin",
            "Europe/Oslo",
            "Europe/Rome",
            "Europe/Stockholm",
            "Europe/Vienna",
            "Europe/Zurich",
            "Europe/Luxembourg",
        ],
    ),
    (
        "Romance Standard/Daylight Time",
        &["Europe/Brussels", "Europe/Copenhagen", "Europe/Madrid", "Europe/Paris"],
    ),
    ("Central Europe Standard/Daylight Time", &["Europe/Prague", "Europe/Budapest", "Europe/Belgrade"]),
    ("Central European Standard/Daylight Time", &["Europe/Warsaw", "Europe/Zagreb", "Europe/Sarajevo"]),
    ("FLE Standard/Daylight Time", &["Europe/Helsinki", "Europe/Kyiv", "Europe/Riga", "Europe/Vilnius"]),
    ("GTB Standard/Daylight Time", &["Europe/Athens", "Europe/Bucharest"]),
    ("Jerusalem Standard/Daylight Time", &["Asia/Jerusalem"]),
    ("South Africa Standard Time", &["Africa/Johannesburg"]),
    ("Russian Standard/Daylight Time", &["Europe/Moscow"]),
    ("Arabian Standard Time", &["Asia/Dubai"]),
    ("India Standard Time", &["Asia/Kolkata"]),
    ("SE Asia Standard Time", &["Asia/Bangkok", "Asia/Jakarta"]),
    ("China Standard/Daylight Time", &["Asia/Shanghai", "Asia/Hong_Kong"]),
    ("Tokyo Standard Time", &["Asia/Tokyo"]),
    ("AUS Eastern Standard/Daylight Time", &["Australia/Sydney", "Australia/Melbourne"]),
    ("New Zealand Standard/Daylight Time", &["Pacific/Auckland"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_zones_have_their_phone_names() {
        assert_eq!(phone_zone(Some("Europe/Berlin")), "W. Europe Standard/Daylight Time");
        assert_eq!(phone_zone(Some("America/New_York")), "Eastern Standard/Daylight Time");
        assert_eq!(phone_zone(Some("Mars/Olympus")), "Greenwich Standard Time");
        assert_eq!(phone_zone(None), "Greenwich Standard Time");
    }
}
