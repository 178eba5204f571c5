//! The office of random users: every feature is in it, on phones of all classes.

use selsius_site::{
    Action as RouteAction, ActiveRing, Button, Device, DoNotDisturb, Feature, Hotline, HuntGroup, HuntOrder,
    KeySet, Language, Line, LineNumber, MediaPath, Music, Name, PickupGroup, Prefer, RecordingRule, Ring,
    Route, Secret, Site, SoftKey as Key, SoftKeys, Trunk, User,
};
use selsius_station::{Config, ModelClass};

use crate::plan;

/// A number that the first phones have in common.
pub(crate) const SHARED: &str = "3000";
/// How many of them.
const SHARERS: usize = 3;

/// Numbers from 1001 on, one a phone, a second one on every third, a shared one on the first ones; an operator, an emergency and a forbidden number.
pub(crate) fn office(phones: usize) -> Site {
    let mut site = Site::default();
    let number = |at: usize| (1001 + at).to_string().parse::<LineNumber>();
    for phone in 0..phones {
        let Ok(own) = number(phone) else { continue };
        let mut buttons = vec![Button::Line { number: own.clone(), label: String::new() }];
        site.lines.insert(own, line(phone));
        if phone % 3 == 0
            && let Ok(second) = format!("2{phone:03}").parse::<LineNumber>()
        {
            site.lines.insert(second.clone(), Line::default());
            buttons.push(Button::Line { number: second, label: "second".into() });
        }
        if phone < SHARERS
            && let Ok(shared) = SHARED.parse::<LineNumber>()
        {
            site.lines.insert(shared.clone(), Line { name: "Everybody".into(), ..Line::default() });
            buttons.push(Button::Line { number: shared, label: "shared".into() });
        }
        if let Ok(first) = number(0) {
            buttons.push(Button::SpeedDial { number: first, label: "Boss".into() });
        }
        buttons.extend(lamps(phone, phones));
        // Number 2 leads to redial, which may not lead back.
        let abbreviated = [(1, number((phone + 1) % phones)), (2, "*69".parse())];
        let abbreviated = abbreviated.into_iter().filter_map(|(index, to)| Some((index, to.ok()?))).collect();
        let soft_keys = if phone % 4 == 3 { "few".parse().ok() } else { None };
        if let Ok(name) = name(phone).parse() {
            let language = (phone % 4 == 1).then_some(Language::German);
            let (privacy, prefer) = (phone == 1, *cycle(Prefer::ALL, phone));
            // Most can, so that most calls are encrypted, and some are half.
            let srtp = phone % 3 != 2;
            let device = Device {
                buttons,
                abbreviated,
                soft_keys,
                privacy,
                prefer,
                language,
                srtp,
                ..Device::default()
            };
            site.devices.insert(name, device);
        }
    }
    site.settings.voicemail = number(2).ok();
    site.settings.timers.hold_reminder = 20;
    if let Ok(few) = "few".parse() {
        let keys = [
            (KeySet::OnHook, vec![Key::NewCall]),
            (KeySet::Connected, vec![Key::EndCall, Key::Transfer, Key::Join, Key::Hold]),
            (KeySet::OffHook, vec![Key::EndCall, Key::Redial]),
        ];
        site.soft_keys.insert(few, SoftKeys(keys.into()));
    }
    let mut route = |pattern: &str, action, emergency| {
        if let Ok(pattern) = pattern.parse() {
            site.routes.insert(pattern, Route { action, emergency, ..Route::default() });
        }
    };
    route("0", RouteAction::Lines([number(0), number(1)].into_iter().flatten().collect()), false);
    route("112", RouteAction::Lines(number(0).into_iter().collect()), true);
    route("1999", RouteAction::Block, false);
    if let Ok(trunk) = "loop".parse::<Name>() {
        route("7.XXXX", RouteAction::Trunks([trunk.clone(), trunk.clone()].into()), false);
        site.trunks.insert(trunk, Trunk { calls: 6, ..Trunk::default() });
    }
    waiting(&mut site, phones);
    // Its names and numbers are all right.
    let _ = plan::add(&mut site, phones);
    travellers(&mut site, phones);
    crate::sip_phones::add(&mut site);
    site
}

/// The line of a phone: each rings in its own way, and some are hotlines.
fn line(phone: usize) -> Line {
    let hotline = |after| "1002".parse().ok().map(|number| Hotline { number, after });
    Line {
        name: format!("User {phone}"),
        ring: *cycle(Ring::ALL, phone / 2),
        ring_active: *cycle(ActiveRing::ALL, phone),
        do_not_disturb: *cycle(DoNotDisturb::ALL, phone),
        hotline: match phone {
            5 => hotline(3),
            6 => hotline(0),
            _ => None,
        },
        ..Line::default()
    }
}

fn cycle<T>(all: &[T], at: usize) -> &T {
    &all[at % all.len()]
}

/// The PIN of everybody.
pub(crate) const PIN: &str = "4711";

/// Every other line is a user's, who can log in anywhere and has a second line there.
fn travellers(site: &mut Site, phones: usize) {
    for phone in (0..phones).step_by(2) {
        let lines = [1001 + phone, 1002 + phone].map(|number| number.to_string().parse::<LineNumber>());
        let lines = lines.into_iter().flatten().filter(|number| site.lines.contains_key(number));
        let buttons = lines.map(|number| Button::Line { number, label: String::new() }).collect();
        if let Ok(name) = format!("user{phone}").parse() {
            let user =
                User { name: format!("User {phone}"), pin: Secret::new(PIN), buttons, ..User::default() };
            site.users.insert(name, user);
        }
    }
}

/// Two pickup groups, three park slots, and hunt groups of all orders, some of which lead to each other.
fn waiting(site: &mut Site, phones: usize) {
    let timers = &mut site.settings.timers;
    (timers.park_reminder, timers.park_return, timers.callback, timers.queue) = (20, 60, 5, 40);
    site.parking.slots = "81-83".parse().into_iter().collect();
    let names = ["odd", "even"].map(|name| name.parse::<Name>().ok());
    for (at, name) in names.iter().enumerate() {
        let others = names.get(1 - at).cloned().flatten().into_iter().collect();
        if let Some(name) = name {
            site.pickup_groups.insert(name.clone(), PickupGroup { others });
        }
    }
    for (at, line) in site.lines.values_mut().enumerate() {
        line.pickup_group = names.get(at % 3).cloned().flatten();
    }
    let number = |number: usize| number.to_string().parse::<LineNumber>().ok();
    let orders = [HuntOrder::Sequential, HuntOrder::Circular, HuntOrder::LongestIdle, HuntOrder::Broadcast];
    for (at, order) in orders.into_iter().enumerate() {
        let members = (0..phones).filter(|phone| phone % 2 == at % 2).map(|phone| 1001 + phone);
        let inner = (at == 2).then_some(600);
        let group = HuntGroup {
            members: members.take(4).chain(inner).filter_map(number).collect(),
            order,
            ring_seconds: 10,
            queue: if at < 2 { 2 } else { 0 },
            // Three of them overflow in a circle.
            overflow: (at != 0).then_some(601 + at % 3).and_then(number),
            login: at == 3,
            ..HuntGroup::default()
        };
        if let Some(pilot) = number(600 + at) {
            site.hunt_groups.insert(pilot, group);
        }
    }
}

/// Busy lamps of the neighbours and of the shared line, and buttons of features.
fn lamps(phone: usize, phones: usize) -> Vec<Button> {
    let neighbours = [1, 2].map(|next| (1001 + (phone + next) % phones).to_string());
    let watched = neighbours.into_iter().chain([SHARED.to_owned()]);
    let lamp = |number: String| Some(Button::BusyLamp { number: number.parse().ok()?, label: String::new() });
    let features = [
        Feature::Privacy,
        Feature::Hold,
        Feature::Transfer,
        Feature::Conference,
        Feature::Redial,
        Feature::DoNotDisturb,
        Feature::Park,
        Feature::Record,
    ];
    let feature = |feature| Button::Feature { feature, label: String::new() };
    watched.filter_map(lamp).chain(features.map(feature)).collect()
}

pub(crate) fn name(phone: usize) -> String {
    format!("SEP{phone:012X}")
}

/// Phones of all classes and many versions.
pub(crate) fn config(phone: usize) -> Config {
    const MODELS: [(ModelClass, u8); 8] = [
        (ModelClass::P7912, 7),
        (ModelClass::P7960, 11),
        (ModelClass::P7965, 22),
        (ModelClass::P8945, 20),
        (ModelClass::P7960, 3),
        (ModelClass::P7965, 17),
        (ModelClass::P8945, 22),
        (ModelClass::P7912, 5),
    ];
    let (model, version) = MODELS[phone % MODELS.len()];
    let mut config = Config::new(name(phone), model);
    config.version = version;
    let [high, low] = ((phone % 60_000) as u16 + 10).to_be_bytes();
    config.address = [10, 1, high, low].into();
    config
}

/// Has audio go through the manager: that of the trunk and of the first phone, of calls that are recorded, and music for those on
/// hold and in queues.
pub(crate) fn through_the_manager(site: &mut Site) {
    let Ok(bells) = "bells".parse::<Name>() else { return };
    site.music.insert(bells.clone(), Music::default());
    site.settings.music = Some(bells.clone());
    for group in site.hunt_groups.values_mut() {
        group.music = Some(bells.clone());
    }
    for trunk in site.trunks.values_mut() {
        trunk.media = Some(MediaPath::Relay);
    }
    if let Some(device) = site.devices.values_mut().next() {
        device.media = MediaPath::Relay;
    }
    if let Some(phone) = site.sip_phones.values_mut().next() {
        phone.media = MediaPath::Relay;
    }
    for (line, rule) in site.lines.values_mut().skip(1).zip([RecordingRule::Always, RecordingRule::Key]) {
        line.record = Some(rule);
    }
}
