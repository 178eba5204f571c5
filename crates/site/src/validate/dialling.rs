//! Rights, routes, trunks and schedules.

use super::{Check, Problem};
use super::{form::is_host, people::is_digits};
use crate::{
    Action, Application, ApplicationKind, CodeDemand, LineNumber, Pattern, PatternMatch, Route, Srtp, Trunk,
    TrunkKind, key::KeyPath, pattern::is_match,
};

impl Check<'_> {
    pub(super) fn rights(&mut self) {
        for (name, rights) in &self.site.rights {
            let at = KeyPath::new(&["rights", name.as_str(), "partitions"]);
            if rights.partitions.is_empty() {
                self.add(at.clone(), Problem::Empty("at least one partition"));
            }
            for (index, partition) in rights.partitions.iter().enumerate() {
                if !self.partitions.contains(partition) {
                    self.add(at.index(index), Problem::UnknownPartition(partition.clone()));
                }
            }
        }
    }

    pub(super) fn routes(&mut self) {
        let site = self.site;
        for (pattern, route) in &site.routes {
            self.route(&KeyPath::new(&["routes", pattern.as_str()]), pattern, route);
        }
        for (name, trunk) in &site.trunks {
            let at = KeyPath::new(&["trunks", name.as_str()]);
            self.trunk(&at, trunk);
        }
        for (number, application) in &site.applications {
            self.application(&KeyPath::new(&["applications", number.as_str()]), number, application);
        }
        for (name, schedule) in &site.schedules {
            let at = KeyPath::new(&["schedules", name.as_str()]);
            self.time_zone(&at, schedule.time_zone.as_ref());
            if schedule.open.is_empty() {
                self.add(at.key("open"), Problem::Empty("hours such as \"mon-fri 08:00-18:00\""));
            }
        }
    }

    fn trunk(&mut self, at: &KeyPath, trunk: &Trunk) {
        self.range(at.key("calls"), trunk.calls, 1, 10_000, "calls");
        self.range(at.key("rate"), trunk.rate, 1, 1000, "calls a second");
        self.known_rights(at, trunk.rights.as_ref());
        self.codecs(at.key("codecs"), &trunk.codecs);
        let sip = trunk.kind == TrunkKind::Sip;
        if sip && trunk.servers.is_empty() && trunk.allow.is_empty() {
            self.add(at.key("servers"), Problem::Empty("at least one host, or addresses in allow"));
        }
        for (index, server) in trunk.servers.iter().enumerate() {
            if !is_host(server) {
                self.add(at.key("servers").index(index), Problem::Host(server.clone()));
            }
        }
        if !trunk.domain.is_empty() && !is_host(&trunk.domain) {
            self.add(at.key("domain"), Problem::Host(trunk.domain.clone()));
        }
        let user = !trunk.user.is_empty();
        let needs = [
            ("servers", !trunk.servers.is_empty(), sip, "kind = \"sip\""),
            ("user", user, sip, "kind = \"sip\""),
            ("password", !trunk.password.as_str().is_empty(), user, "a user"),
            ("register", trunk.register, user && !trunk.servers.is_empty(), "servers and a user"),
            ("authenticate", trunk.authenticate, user, "a user"),
            ("refer", trunk.refer, sip, "kind = \"sip\""),
            (
                "srtp",
                trunk.srtp != Srtp::Off,
                sip && trunk.relays(),
                "kind = \"sip\" and its audio through the manager",
            ),
        ];
        for (key, given, possible, without) in needs {
            if given && !possible {
                self.add(at.key(key), Problem::Without(without));
            }
        }
    }

    fn application(&mut self, at: &KeyPath, number: &LineNumber, application: &Application) {
        if let Some(what) = self.numbers.what(number) {
            self.add(at.clone(), Problem::NumberTaken { number: number.clone(), what });
        }
        match application.kind {
            ApplicationKind::Announcement if application.file.is_empty() => {
                self.add(at.key("file"), Problem::Empty("the name of a file"));
            }
            // It lies in one folder, and nowhere else.
            ApplicationKind::Announcement if application.file.contains(['/', '\\', '\0']) => {
                self.add(at.key("file"), Problem::NoFileName(application.file.clone()));
            }
            ApplicationKind::Message => match &application.line {
                None => self.add(at.key("line"), Problem::Empty("a line")),
                Some(line) if !self.site.lines.contains_key(line) => {
                    self.add(at.key("line"), Problem::UnknownLine(line.clone()));
                }
                Some(_) => {}
            },
            ApplicationKind::Room => self.room(at, application),
            _ => {}
        }
        if application.kind != ApplicationKind::Room {
            for (key, pin) in [("pin", &application.pin), ("moderator-pin", &application.moderator_pin)] {
                if !pin.as_str().is_empty() {
                    self.add(at.key(key), Problem::Without("kind = \"room\""));
                }
            }
        }
    }

    fn room(&mut self, at: &KeyPath, room: &Application) {
        self.range(at.key("most"), room.most, 2, 500, "participants");
        for (key, pin) in [("pin", &room.pin), ("moderator-pin", &room.moderator_pin)] {
            if !pin.as_str().is_empty() && !is_digits(pin, 4, 10) {
                self.add(at.key(key), Problem::Digits("a PIN of 4 to 10 digits"));
            }
        }
        // What opens it to guests would make each of them its moderator.
        if room.pin == room.moderator_pin && !room.pin.as_str().is_empty() {
            self.add(at.key("moderator-pin"), Problem::Digits("another PIN than that of the guests"));
        }
    }

    fn route(&mut self, at: &KeyPath, pattern: &Pattern, route: &Route) {
        let site = self.site;
        self.hidden(at, pattern, route);
        self.known(at.key("schedule"), route.schedule.as_ref(), &site.schedules, "schedule", "schedules");
        self.target(at.key("otherwise"), route.otherwise.as_ref());
        if route.otherwise.is_some() && route.schedule.is_none() {
            self.add(at.key("otherwise"), Problem::Without("a schedule"));
        }
        if let Some(strip) = route.strip {
            self.range(at.key("strip"), strip, 0, 24, "digits");
        }
        if route.emergency {
            for (key, asked) in
                [("schedule", route.schedule.is_some()), ("code", route.code != CodeDemand::None)]
            {
                if asked {
                    self.add(at.key(key), Problem::EmergencyRestricted);
                }
            }
        }
        match &route.action {
            Action::Block if route.emergency => self.add(at.key("block"), Problem::EmergencyBlocked),
            Action::Block => {
                // A wider pattern loses to the emergency route; one that is a single number wins.
                let emergency = site.routes.iter().find(|(other, route)| {
                    let only = pattern.only_number();
                    route.emergency && only.is_some_and(|number| is_match(other.matches(&number)))
                });
                if let Some((other, _)) = emergency {
                    self.add(at.key("block"), Problem::BlocksEmergency(other.to_string()));
                }
            }
            Action::Lines(lines) if lines.is_empty() => {
                self.add(at.key("lines"), Problem::Empty("at least one line"));
            }
            Action::Lines(lines) => self.known_lines(&at.key("lines"), lines),
            Action::Number(number) => self.target(at.key("number"), Some(number)),
            Action::Trunks(trunks) if trunks.is_empty() => {
                self.add(at.key("trunks"), Problem::Empty("at least one trunk"));
            }
            Action::Trunks(trunks) => {
                self.known_list(&at.key("trunks"), trunks, &site.trunks, "trunk", "trunks");
            }
        }
    }

    /// Is there something that takes all its calls?
    fn hidden(&mut self, at: &KeyPath, pattern: &Pattern, route: &Route) {
        if !route.emergency {
            let only = pattern.only_number().and_then(|number| number.parse().ok());
            if let Some(what) = only.and_then(|number| self.numbers.what(&number)) {
                self.add(at.clone(), Problem::Hidden(what));
            }
            return;
        }
        let number = self.numbers.all().find(|(number, _)| is_match(pattern.matches(number.as_str())));
        // A code ends the search as soon as it is dialled.
        let begins = |code: &str| pattern.matches(code) != PatternMatch::No;
        let code = self.site.settings.codes.iter().find(|(_, code)| begins(code.as_str()));
        let hidden = number.or(code.map(|(_, code)| (code, "a feature code")));
        if let Some((number, what)) = hidden {
            let problem = Problem::EmergencyHidden { what, number: number.clone() };
            self.add(at.clone(), problem);
        }
    }
}
