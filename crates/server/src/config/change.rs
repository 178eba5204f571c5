//! What changes from one configuration to another, and what of that a running manager can take over.

use serde_json::Value;

use super::Config;

/// Keys, and whole tables, that only hold from the next start on: sockets that are bound, folders that are open, and what
/// phones were told when they registered. Everything else is taken over at once.
const FIXED: &[&str] = &[
    "data-dir",
    "sccp",
    "tftp",
    "http",
    "advertise",
    "files",
    "dscp",
    "mail",
    "media",
    "sip",
    "security",
    "limits.tftp-transfers",
    "limits.tftp-transfers-per-address",
    "limits.http-connections",
    "log.format",
];

/// The keys that change, as one writes them: `limits.digits`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigChange {
    /// They hold at once.
    pub live: Vec<String>,
    /// They hold from the next start on.
    pub at_restart: Vec<String>,
}

impl Config {
    /// What is different in `new`.
    pub fn change_to(&self, new: &Self) -> ConfigChange {
        let mut keys = Vec::new();
        different("", &value(self), &value(new), &mut keys);
        let (at_restart, live) = keys.into_iter().partition(|key| is_fixed(key));
        ConfigChange { live, at_restart }
    }
}

fn value(config: &Config) -> Value {
    serde_json::to_value(config).expect("it is made of texts and numbers")
}

fn is_fixed(key: &str) -> bool {
    let within = |table: &str| key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
    FIXED.iter().any(|&fixed| key == fixed || within(fixed))
}

/// Adds the keys below `prefix` whose values differ.
fn different(prefix: &str, old: &Value, new: &Value, keys: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                different(&path, value, new.get(key).unwrap_or(&Value::Null), keys);
            }
        }
        _ if old != new => keys.push(prefix.into()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("test.toml", text).unwrap()
    }

    #[test]
    fn changes_are_told_by_key_and_by_when_they_hold() {
        let old = config("");
        assert_eq!(old.change_to(&old), ConfigChange::default());
        let text = "http = \"127.0.0.1\"\n[limits]\ndigits = 9\ntftp-transfers = 3\n[log]\nlevel = \"debug\"\n\
            format = \"json\"\n[metrics]\nlisten = \"127.0.0.1\"\n[dscp]\nmedia = 3";
        let change = old.change_to(&config(text));
        assert_eq!(change.live, ["limits.digits", "log.level", "metrics.listen"]);
        assert_eq!(change.at_restart, ["dscp.media", "http", "limits.tftp-transfers", "log.format"]);
        assert_eq!(config(text).change_to(&old), change, "back again it is the same");
    }

    #[test]
    fn keys_that_are_fixed_exist() {
        let all = value(&config(""));
        for fixed in FIXED {
            let found = fixed.split('.').try_fold(&all, |table, key| table.get(key));
            assert!(found.is_some(), "{fixed}");
        }
    }
}
