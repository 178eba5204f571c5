//! The tables of keys.

use toml::de::{DeTable, DeValue};

use super::{Part, button::AutoRange, fields, value::Loads};
use crate::{
    Action, Application, Blocked, CallCode, Contact, Device, HuntGroup, KeySet, Line, LineNumber, Music,
    Name, PagingGroup, Parking, PickupGroup, Pool, Rights, Route, Schedule, Service, Settings, SipPhone,
    SoftKey, SoftKeys, Trunk, User,
    file::{Reader, Value},
    key::{KeyPath, Quoted},
};

impl Part for Settings {
    const EXPECTED: &'static str = "a table [settings]";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "name" name;
        "time-zone" time_zone, "a zone such as \"Europe/Berlin\", or \"\" for the machine's";
        "date-format" date_format, "a format such as \"D.M.Y\"";
        "language" language;
        "tones" tones;
        "codecs" codecs, "a list such as [\"g722\", \"pcmu\"]";
        "packet-ms" packet_ms, "milliseconds such as 20";
        "keepalive-seconds" keepalive_seconds, "seconds such as 30";
        "call-waiting" call_waiting;
        "on-hook-transfers" on_hook_transfers;
        "outside-transfers" outside_transfers;
        "transfer-recall-seconds" transfer_recall_seconds, "seconds such as 30, or 0 for never";
        "conference-drop" conference_drop;
        "conference-owner-leaves" conference_owner_leaves;
        "conference-size" conference_size, "a number such as 8";
        "voicemail" voicemail, "a number in quotes such as \"1999\", or \"\" for none";
        "music" music, "one of [music] such as \"bells\", or \"\" for silence";
        "record" record;
        "recording-beep" recording_beep, "seconds such as 15, or 0 for never";
        "recordings-keep" recordings_keep, "days such as 90, or 0 for ever";
        "recordings-mib" recordings_mib, "MiB such as 10240, or 0 for no limit";
        "auto-registration" (
            |settings: &Self| AutoRange(settings.auto_registration.clone()),
            |settings: &mut Self, AutoRange(range)| settings.auto_registration = range
        );
        "timers.first-digit" timers.first_digit, "seconds";
        "timers.inter-digit" timers.inter_digit, "seconds";
        "timers.no-answer" timers.no_answer, "seconds";
        "timers.forward-no-answer" timers.forward_no_answer, "seconds";
        "timers.park-reminder" timers.park_reminder, "seconds, or 0 for never";
        "timers.park-return" timers.park_return, "seconds, or 0 for never";
        "timers.callback" timers.callback, "seconds";
        "timers.hold-reminder" timers.hold_reminder, "seconds, or 0 for never";
        "timers.queue" timers.queue, "seconds";
        "codes" codes;
        "firmware" (
            |settings: &Self| Loads(settings.firmware.clone()),
            |settings: &mut Self, Loads(loads)| settings.firmware = loads
        );
    };
    const ALWAYS: bool = true;
}

impl Part for Line {
    const EXPECTED: &'static str = "a table with name and label";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "name" name;
        "label" label;
        "calls" calls, "a number such as 4";
        "busy-trigger" busy_trigger, "a number such as 2";
        "call-waiting" call_waiting, "true, false, or \"\" for what the settings say";
        "ring" ring;
        "ring-active" ring_active;
        "pickup-group" pickup_group, "a pickup group such as \"sales\"";
        "partition" partition, "a partition such as \"internal\"";
        "rights" rights, "the name of rights such as \"staff\"";
        "external-number" external_number;
        "caller-id" caller_id;
        "hotline" hotline;
        "do-not-disturb" do_not_disturb;
        "voicemail" voicemail;
        "mailbox" mailbox;
        "mail" mail;
        "auto-answer" auto_answer;
        "privacy" privacy;
        "account-code" account_code;
        "record" record, "never, key, always, or \"\" for what the settings say";
        "forward-unregistered" forward_unregistered;
    };

    fn summary(&self) -> String {
        quoted(&self.name)
    }
}

impl Part for Device {
    const EXPECTED: &'static str = "a table with model and buttons";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "description" description;
        "model" model, "a model such as \"7960\", or \"\" for what the phone says";
        "roam" roam;
        "pool" pool, "a pool such as \"berlin\"";
        "soft-keys" soft_keys, "the name of soft keys such as \"reception\"";
        "side-cars" side_cars, "a list such as [\"7914\", \"7914\"]";
        "time-zone" time_zone, "a zone such as \"Europe/Berlin\"";
        "date-format" date_format, "a format such as \"D.M.Y\"";
        "language" language;
        "privacy" privacy;
        "mobility" mobility;
        "abbreviated" abbreviated;
        "idle-text" idle_text;
        "background" background;
        "ring-tone" ring_tone;
        "prefer" prefer;
        "media" media;
        "srtp" srtp;
        "buttons" buttons, "a list such as [{ line = \"1001\" }, {}]";
    };

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.model.as_ref().map(ToString::to_string));
        parts.push(quoted(&self.description));
        let lines: Vec<_> = self.lines().map(ToString::to_string).collect();
        if !lines.is_empty() {
            parts.push(format!("line {}", lines.join(", ")));
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }
}

impl Part for Pool {
    const EXPECTED: &'static str = "a table with time-zone, language and rights";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "time-zone" time_zone, "a zone such as \"Europe/Berlin\"";
        "date-format" date_format, "a format such as \"D.M.Y\"";
        "language" language;
        "rights" rights, "the name of rights such as \"staff\"";
        "music" music, "one of [music] such as \"bells\", or \"\" for what the settings say";
    };
}

impl Part for User {
    const EXPECTED: &'static str = "a table with name and pin";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "name" name;
        "pin" pin;
        "abbreviated" abbreviated;
        "rights" rights, "the name of rights such as \"staff\"";
        "buttons" buttons, "a list such as [{ line = \"1001\" }, {}]";
    };

    fn summary(&self) -> String {
        quoted(&self.name)
    }
}

impl Part for PickupGroup {
    const EXPECTED: &'static str = "a table, perhaps with others";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "others" others, "a list such as [\"sales\"]";
    };
}

impl Part for Parking {
    const EXPECTED: &'static str = "a table [parking]";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "slots" slots, "a list such as [\"701-709\"]";
    };
    const ALWAYS: bool = true;
}

impl Part for HuntGroup {
    const EXPECTED: &'static str = "a table with name and members";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "name" name;
        "members" members, "a list such as [\"1001\", \"1002\"]";
        "order" order;
        "ring-seconds" ring_seconds, "seconds such as 15";
        "queue" queue, "a number such as 5, or 0 for no queue";
        "queue-seconds" queue_seconds, "seconds, or 0 for what the settings say";
        "music" music, "one of [music] such as \"bells\", or \"\" to hear it ring";
        "overflow" overflow;
        "login" login;
    };

    fn summary(&self) -> String {
        named_list(&self.name, &self.members)
    }
}

impl Part for PagingGroup {
    const EXPECTED: &'static str = "a table with name and lines";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "name" name;
        "lines" lines, "a list such as [\"1001\", \"1002\"]";
        "mode" mode;
        "address" address;
        "beep" beep;
    };

    fn summary(&self) -> String {
        named_list(&self.name, &self.lines)
    }
}

impl Part for Rights {
    const EXPECTED: &'static str = "a table with partitions";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "partitions" partitions, "a list such as [\"internal\"]";
    };

    fn summary(&self) -> String {
        list(&self.partitions)
    }
}

impl Part for Route {
    const EXPECTED: &'static str = "a table with lines, number, trunks, or block = true";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "lines" (lines, set_lines), "a list such as [\"1001\", \"1002\"]";
        "number" (number, set_number);
        "trunks" (trunks, set_trunks), "a list such as [\"carrier\"]";
        "block" (|route: &Self| route.action == Action::Block, set_block);
        "emergency" emergency;
        "partition" partition, "a partition such as \"national\"";
        "strip" strip, "how many digits";
        "prefix" prefix, "digits in quotes such as \"0049\"";
        "calling" calling;
        "schedule" schedule, "a schedule such as \"office\"";
        "otherwise" otherwise;
        "urgent" urgent;
        "code" code;
    };
    const WHOLE: bool = true;

    fn summary(&self) -> String {
        let leads = match &self.action {
            Action::Block => "block".into(),
            Action::Lines(lines) => list(lines),
            Action::Number(number) => number.to_string(),
            Action::Trunks(trunks) => list(trunks),
        };
        format!("{leads}{}", if self.emergency { " (emergency)" } else { "" })
    }

    fn finish(reader: &mut Reader<'_>, path: &KeyPath, table: &DeTable<'_>) {
        let place = reader.place(path).unwrap_or_default();
        let is_false = |value: &Value<'_>| matches!(value.get_ref(), DeValue::Boolean(false));
        let given = |key: &&str| table.get(*key).is_some_and(|value| !is_false(value));
        let given: Vec<&str> = ["lines", "number", "trunks", "block"].into_iter().filter(given).collect();
        match given.as_slice() {
            [_] => {}
            [] => reader.problem(
                path,
                place,
                "leads nowhere; expected lines = [..], number = \"..\", trunks = [..] or block = true",
            ),
            several => {
                let message = format!("has {}; expected one of them", several.join(" and "));
                reader.problem(path, place, message);
            }
        }
    }
}

fn lines(route: &Route) -> Option<Vec<LineNumber>> {
    if let Action::Lines(lines) = &route.action {
        Some(lines.clone()).filter(|lines| !lines.is_empty())
    } else {
        None
    }
}

fn set_lines(route: &mut Route, lines: Option<Vec<LineNumber>>) {
    route.action = lines.map_or_else(|| route.action.clone(), Action::Lines);
}

fn number(route: &Route) -> Option<LineNumber> {
    if let Action::Number(number) = &route.action { Some(number.clone()) } else { None }
}

fn set_number(route: &mut Route, number: Option<LineNumber>) {
    route.action = number.map_or_else(|| route.action.clone(), Action::Number);
}

fn trunks(route: &Route) -> Option<Vec<Name>> {
    if let Action::Trunks(trunks) = &route.action { Some(trunks.clone()) } else { None }
}

fn set_trunks(route: &mut Route, trunks: Option<Vec<Name>>) {
    route.action = trunks.map_or_else(|| route.action.clone(), Action::Trunks);
}

fn set_block(route: &mut Route, block: bool) {
    if block {
        route.action = Action::Block;
    }
}

impl Part for Trunk {
    const EXPECTED: &'static str = "a table with kind, servers and calls";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "kind" kind;
        "calls" calls, "a number such as 30";
        "rate" rate, "calls in a second such as 10";
        "rights" rights, "the name of rights such as \"staff\"";
        "servers" servers, "a list such as [\"sip.example.net\"]";
        "transport" transport;
        "allow" allow, "a list such as [\"192.0.2.0/24\"]";
        "user" user;
        "password" password;
        "domain" domain;
        "register" register;
        "authenticate" authenticate;
        "media" media, "relay, direct, or \"\" for what its kind does";
        "srtp" srtp;
        "dtmf" dtmf;
        "codecs" codecs, "a list such as [\"pcma\", \"pcmu\"]";
        "record" record, "never, key, always, or \"\" for what the settings say";
        "refer" refer;
    };

    fn summary(&self) -> String {
        self.kind.to_string()
    }
}

impl Part for SipPhone {
    const EXPECTED: &'static str = "a table with line and password";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "line" line, "a line in quotes such as \"1005\"";
        "password" password;
        "description" description;
        "codecs" codecs, "a list such as [\"g722\", \"pcma\"]";
        "dtmf" dtmf;
        "media" media;
        "calls" calls, "a number such as 4";
        "contacts" contacts, "a number such as 3";
    };

    fn summary(&self) -> String {
        self.line.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

impl Part for Music {
    const EXPECTED: &'static str = "a table, perhaps with files";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "files" files, "a list such as [\"bells.wav\"]";
        "stream" stream, "an address and port such as \"239.192.1.2:5004\", or \"\" for none";
        "command" command, "a list such as [\"mpg123\", \"-s\", \"radio.m3u\"]";
    };

    fn summary(&self) -> String {
        match (self.stream, &self.command[..]) {
            (Some(stream), _) => format!("stream {stream}"),
            (None, [program, ..]) => format!("command {program}"),
            (None, []) => list(&self.files),
        }
    }
}

impl Part for Application {
    const EXPECTED: &'static str = "a table with kind";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "kind" kind;
        "file" file, "a file name such as \"closed.wav\"";
        "line" line, "a line such as \"1001\", or \"\" for none";
        "pin" pin, "digits in quotes such as \"4711\", or \"\" for none";
        "moderator-pin" moderator_pin, "digits in quotes such as \"4712\", or \"\" for none";
        "most" most, "a number such as 20";
        "wait-for-moderator" wait_for_moderator;
        "entry-tones" entry_tones;
    };

    fn summary(&self) -> String {
        self.kind.to_string()
    }
}

impl Part for Schedule {
    const EXPECTED: &'static str = "a table with open";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "open" open, "a list such as [\"mon-fri 08:00-18:00\"]";
        "closed-on" closed_on, "a list such as [\"2026-12-25\"]";
        "time-zone" time_zone, "a zone such as \"Europe/Berlin\"";
    };

    fn summary(&self) -> String {
        list(&self.open)
    }
}

impl Part for CallCode {
    const EXPECTED: &'static str = "a table with code and kind";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "code" code;
        "kind" kind;
        "rights" rights, "the name of rights such as \"staff\"";
        "description" description;
    };

    fn summary(&self) -> String {
        [self.kind.to_string(), quoted(&self.description)].join(" ").trim_end().into()
    }
}

impl Part for Blocked {
    const EXPECTED: &'static str = "a table [blocked]";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "calling" calling, "a list such as [\"0900!\"]";
    };
    const ALWAYS: bool = true;
}

macro_rules! soft_keys {
    ($($key:literal $set:ident;)+) => {
        fields! {
            $($key (|keys: &Self| keys.0.get(&KeySet::$set).cloned(), |keys: &mut Self, list| {
                set_soft_keys(keys, KeySet::$set, list);
            }), "a list such as [\"redial\", \"new-call\"]";)+
        }
    };
}

fn set_soft_keys(keys: &mut SoftKeys, set: KeySet, list: Option<Vec<SoftKey>>) {
    match list {
        Some(list) => keys.0.insert(set, list),
        None => keys.0.remove(&set),
    };
}

impl Part for SoftKeys {
    const EXPECTED: &'static str = "a table with lists of soft keys";
    const FIELDS: &'static [super::Field<Self>] = soft_keys! {
        "on-hook" OnHook;
        "connected" Connected;
        "on-hold" OnHold;
        "ring-in" RingIn;
        "off-hook" OffHook;
        "connected-transfer" ConnectedTransfer;
        "digits-following" DigitsFollowing;
        "connected-conference" ConnectedConference;
        "ring-out" RingOut;
        "off-hook-feature" OffHookFeature;
        "in-use-hint" InUseHint;
    };
}

impl Part for Service {
    const EXPECTED: &'static str = "a table with title, and url or items";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "title" title;
        "url" url, "an address such as \"http://host/menu.xml\"";
        "items" items, "a list such as [{ name = \"News\", url = \"http://host/news.xml\" }]";
    };

    fn summary(&self) -> String {
        quoted(&self.title)
    }
}

impl Part for Contact {
    const EXPECTED: &'static str = "a table with numbers";
    const FIELDS: &'static [super::Field<Self>] = fields! {
        "numbers" numbers, "a table such as { work = \"030123\", mobile = \"0170123\" }";
    };
}

fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { Quoted::value(text).to_string() }
}

fn list(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn named_list(name: &str, values: &[impl ToString]) -> String {
    [quoted(name), list(values)].join(" ").trim().into()
}
