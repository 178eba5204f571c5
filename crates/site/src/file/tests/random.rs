//! Sites with anything in them, valid or not, as long as a file can say it.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use crate::{
    Action, Application, Blocked, Button, CallCode, Contact, Device, DialTimers, FeatureCode, FeatureCodes,
    Hotline, HuntGroup, ItemTarget, KeySet, Line, LineNumber, Model, Music, Name, NumberMask, NumberRange,
    OpenHours, PagingGroup, Parking, Pattern, PickupGroup, Pool, Rights, Route, Schedule, Secret, Service,
    ServiceItem, Settings, SipPhone, Site, SoftKeys, Trunk, User,
};

fn texts() -> impl Strategy<Value = String> {
    "[ -~äß€\"\\\\]{0,12}"
}

fn names() -> impl Strategy<Value = Name> {
    "[a-zß_.-]{1,5}".prop_map(|text| text.parse().unwrap())
}

fn numbers() -> impl Strategy<Value = LineNumber> {
    "\\+?[0-9*#]{1,6}".prop_map(|text| text.parse().unwrap())
}

fn masks() -> impl Strategy<Value = NumberMask> {
    "\\+?[0-9X]{1,6}".prop_map(|text| text.parse().unwrap())
}

fn patterns() -> impl Strategy<Value = Pattern> {
    "[0-9XN*]{1,4}(\\.[0-9])?!?".prop_map(|text| text.parse().unwrap())
}

fn ranges() -> impl Strategy<Value = NumberRange> {
    (numbers(), numbers()).prop_map(|(first, last)| NumberRange { first, last })
}

fn zones() -> impl Strategy<Value = Option<String>> {
    option::of("[A-Za-z/]{1,9}")
}

fn models() -> impl Strategy<Value = Model> {
    select(crate::PHONES).prop_map(|facts| Model(facts.name.into()))
}

fn hours() -> impl Strategy<Value = OpenHours> {
    let days = select(&["mon-fri", "sat", "fri-mon", "mon,wed,sun", "daily"][..]);
    (days, 0..1440, 1..1440).prop_map(|(days, from, length)| {
        let to = (from + length) % 1440;
        format!("{days} {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60).parse().unwrap()
    })
}

fn abbreviated() -> impl Strategy<Value = BTreeMap<u32, LineNumber>> {
    btree_map(any::<u32>(), numbers(), 0..3)
}

fn buttons() -> impl Strategy<Value = Vec<Button>> {
    let urls = texts().prop_filter("a service's name", |url| url.parse::<Name>().is_err());
    let button = prop_oneof![
        Just(Button::Empty),
        (numbers(), texts()).prop_map(|(number, label)| Button::Line { number, label }),
        (numbers(), texts()).prop_map(|(number, label)| Button::SpeedDial { number, label }),
        (numbers(), texts()).prop_map(|(number, label)| Button::BusyLamp { number, label }),
        (numbers(), texts()).prop_map(|(number, label)| Button::Intercom { number, label }),
        (numbers(), texts()).prop_map(|(number, label)| Button::ParkSlot { number, label }),
        (numbers(), texts()).prop_map(|(number, label)| Button::Paging { number, label }),
        (urls, texts()).prop_map(|(url, label)| Button::Service { url, label }),
        (names(), texts()).prop_map(|(service, label)| Button::Menu { service, label }),
        (select(crate::Feature::ALL), texts())
            .prop_map(|(feature, label)| Button::Feature { feature, label }),
    ];
    vec(button, 0..5)
}

/// Strategies, one for each named field; the other fields have their defaults.
macro_rules! part {
    ($part:ident { $($field:ident: $strategy:expr),+ $(,)? }) => {
        part!(@nest $part [$($field)+] $($field: $strategy),+)
    };
    (@nest $part:ident [$($all:ident)+] $($field:ident: $strategy:expr),+) => {{
        let part = Just($part::default()).boxed();
        $(
            let part = (part, $strategy).prop_map(|(mut part, value)| { part.$field = value; part }).boxed();
        )+
        part
    }};
}

fn settings() -> BoxedStrategy<Settings> {
    let timers = any::<[u32; 9]>().prop_map(|seconds| DialTimers {
        first_digit: seconds[0],
        inter_digit: seconds[1],
        no_answer: seconds[2],
        forward_no_answer: seconds[3],
        park_reminder: seconds[4],
        park_return: seconds[5],
        callback: seconds[6],
        hold_reminder: seconds[7],
        queue: seconds[8],
    });
    let codes = btree_map(select(FeatureCode::ALL), option::of(numbers()), 0..5).prop_map(FeatureCodes::from);
    part!(Settings {
        name: texts(),
        time_zone: zones(),
        date_format: texts(),
        language: select(crate::Language::ALL),
        tones: select(crate::TonePlan::ALL),
        codecs: vec(select(crate::CodecName::ALL), 0..4),
        packet_ms: any::<u32>(),
        keepalive_seconds: any::<u32>(),
        call_waiting: any::<bool>(),
        on_hook_transfers: any::<bool>(),
        outside_transfers: any::<bool>(),
        transfer_recall_seconds: any::<u32>(),
        conference_drop: select(crate::ConferenceDrop::ALL),
        conference_owner_leaves: select(crate::OwnerLeaves::ALL),
        conference_size: any::<u32>(),
        voicemail: option::of(numbers()),
        music: option::of(names()),
        record: select(crate::RecordingRule::ALL),
        recording_beep: any::<u32>(),
        recordings_keep: any::<u32>(),
        recordings_mib: any::<u32>(),
        timers: timers,
        codes: codes,
        auto_registration: option::of(ranges()),
        firmware: btree_map(models(), "[a-z.-]{1,9}", 0..3),
    })
}

fn line() -> BoxedStrategy<Line> {
    let hotline = (numbers(), 0..9_u32).prop_map(|(number, after)| Hotline { number, after });
    part!(Line {
        name: texts(),
        label: texts(),
        calls: any::<u32>(),
        busy_trigger: any::<u32>(),
        call_waiting: option::of(any::<bool>()),
        ring: select(crate::Ring::ALL),
        ring_active: select(crate::ActiveRing::ALL),
        pickup_group: option::of(names()),
        partition: option::of(names()),
        rights: option::of(names()),
        external_number: option::of(masks()),
        caller_id: select(crate::CallerId::ALL),
        hotline: option::of(hotline),
        do_not_disturb: select(crate::DoNotDisturb::ALL),
        voicemail: any::<bool>(),
        mailbox: option::of(numbers()),
        auto_answer: select(crate::AutoAnswer::ALL),
        privacy: any::<bool>(),
        mail: texts(),
        account_code: any::<bool>(),
        record: option::of(select(crate::RecordingRule::ALL)),
        forward_unregistered: option::of(numbers()),
    })
}

fn device() -> BoxedStrategy<Device> {
    part!(Device {
        description: texts(),
        model: option::of(models()),
        buttons: buttons(),
        roam: any::<bool>(),
        pool: option::of(names()),
        soft_keys: option::of(names()),
        side_cars: vec(select(crate::SideCar::ALL), 0..3),
        time_zone: zones(),
        date_format: option::of("[DMY/]{1,6}"),
        language: option::of(select(crate::Language::ALL)),
        privacy: any::<bool>(),
        mobility: any::<bool>(),
        abbreviated: abbreviated(),
        idle_text: texts(),
        background: texts(),
        ring_tone: texts(),
        prefer: select(crate::Prefer::ALL),
        media: select(crate::MediaPath::ALL),
        srtp: any::<bool>(),
    })
}

fn route() -> BoxedStrategy<Route> {
    // Without any line a route says nothing that a file could repeat.
    let action = prop_oneof![
        Just(Action::Block),
        vec(numbers(), 1..3).prop_map(Action::Lines),
        numbers().prop_map(Action::Number),
        vec(names(), 0..3).prop_map(Action::Trunks),
    ];
    part!(Route {
        action: action,
        emergency: any::<bool>(),
        partition: option::of(names()),
        strip: option::of(any::<u32>()),
        prefix: option::of(numbers()),
        calling: option::of(masks()),
        schedule: option::of(names()),
        otherwise: option::of(numbers()),
        urgent: any::<bool>(),
        code: select(crate::CodeDemand::ALL),
    })
}

fn groups() -> BoxedStrategy<Site> {
    let hunt = part!(HuntGroup {
        name: texts(),
        members: vec(numbers(), 0..3),
        order: select(crate::HuntOrder::ALL),
        ring_seconds: any::<u32>(),
        queue: any::<u32>(),
        queue_seconds: any::<u32>(),
        music: option::of(names()),
        overflow: option::of(numbers()),
        login: any::<bool>(),
    });
    let paging = part!(PagingGroup {
        name: texts(),
        lines: vec(numbers(), 0..3),
        mode: select(crate::PagingMode::ALL),
        address: option::of(any::<std::net::SocketAddr>().prop_map(|mut address| {
            // Flow labels and scopes have no place in a text.
            if let std::net::SocketAddr::V6(address) = &mut address {
                address.set_flowinfo(0);
                address.set_scope_id(0);
            }
            address
        })),
        beep: any::<bool>(),
    });
    let pickup = part!(PickupGroup { others: vec(names(), 0..3) });
    let parking = part!(Parking { slots: vec(ranges(), 0..3) });
    part!(Site {
        hunt_groups: btree_map(numbers(), hunt, 0..3),
        paging_groups: btree_map(numbers(), paging, 0..3),
        pickup_groups: btree_map(names(), pickup, 0..3),
        parking: parking,
    })
}

fn people() -> BoxedStrategy<Site> {
    let pool = part!(Pool {
        time_zone: zones(),
        date_format: option::of("[DMY/]{1,6}"),
        language: option::of(select(crate::Language::ALL)),
        rights: option::of(names()),
        music: option::of(names()),
    });
    let user = part!(User {
        name: texts(),
        pin: texts().prop_map(Secret::new),
        buttons: buttons(),
        abbreviated: abbreviated(),
        rights: option::of(names()),
    });
    let contact = part!(Contact { numbers: btree_map(texts(), numbers(), 0..3) });
    let code = part!(CallCode {
        code: texts().prop_map(Secret::new),
        kind: select(crate::CodeKind::ALL),
        rights: option::of(names()),
        description: texts(),
    });
    part!(Site {
        pools: btree_map(names(), pool, 0..3),
        users: btree_map(names(), user, 0..3),
        contacts: btree_map(texts(), contact, 0..3),
        codes: btree_map(names(), code, 0..3),
    })
}

fn rest() -> BoxedStrategy<Site> {
    let rights = part!(Rights { partitions: vec(names(), 0..3) });
    let network = (any::<std::net::IpAddr>(), 0..=32_u8)
        .prop_map(|(address, length)| ipnet::IpNet::new(address, length).unwrap().trunc());
    let trunk = part!(Trunk {
        kind: select(crate::TrunkKind::ALL),
        calls: any::<u32>(),
        rate: any::<u32>(),
        rights: option::of(names()),
        servers: vec(texts(), 0..3),
        transport: select(crate::Transport::ALL),
        allow: vec(network, 0..3),
        user: texts(),
        password: texts().prop_map(Secret::new),
        domain: texts(),
        register: any::<bool>(),
        authenticate: any::<bool>(),
        media: option::of(select(crate::MediaPath::ALL)),
        srtp: select(crate::Srtp::ALL),
        dtmf: select(crate::Dtmf::ALL),
        codecs: vec(select(crate::CodecName::ALL), 0..3),
        record: option::of(select(crate::RecordingRule::ALL)),
        refer: any::<bool>(),
    });
    let sip_phone = part!(SipPhone {
        line: option::of(numbers()),
        password: texts().prop_map(Secret::new),
        description: texts(),
        codecs: vec(select(crate::CodecName::ALL), 0..3),
        dtmf: select(crate::Dtmf::ALL),
        media: select(crate::MediaPath::ALL),
        calls: any::<u32>(),
        contacts: any::<u32>(),
    });
    let sip_names = "[A-Z0-9._-]{1,15}".prop_map(|name| name.parse().unwrap());
    let stream = any::<(u8, u16)>().prop_map(|(host, port)| ([239, 1, 2, host], port).into());
    let music =
        part!(Music { files: vec(texts(), 0..3), stream: option::of(stream), command: vec(texts(), 0..3) });
    let application = part!(Application {
        kind: select(crate::ApplicationKind::ALL),
        file: texts(),
        line: option::of(numbers()),
        pin: texts().prop_map(Secret::new),
        moderator_pin: texts().prop_map(Secret::new),
        most: any::<u32>(),
        wait_for_moderator: any::<bool>(),
        entry_tones: any::<bool>(),
    });
    let schedule = part!(Schedule {
        open: vec(hours(), 0..3),
        closed_on: vec(
            (2000..2100_i16, 1..13_i8, 1..29_i8).prop_map(|(y, m, d)| jiff::civil::date(y, m, d)),
            0..3
        ),
        time_zone: zones(),
    });
    let blocked = part!(Blocked { calling: vec(patterns(), 0..3) });
    let soft_keys =
        btree_map(select(KeySet::ALL), vec(select(crate::SoftKey::ALL), 0..4), 0..4).prop_map(SoftKeys);
    let target = prop_oneof![texts().prop_map(ItemTarget::Url), numbers().prop_map(ItemTarget::Number)];
    let item = (texts(), target).prop_map(|(name, target)| ServiceItem { name, target });
    let service = part!(Service { title: texts(), url: texts(), items: vec(item, 0..3) });
    part!(Site {
        rights: btree_map(names(), rights, 0..3),
        trunks: btree_map(names(), trunk, 0..3),
        sip_phones: btree_map(sip_names, sip_phone, 0..3),
        music: btree_map(names(), music, 0..3),
        applications: btree_map(numbers(), application, 0..3),
        schedules: btree_map(names(), schedule, 0..3),
        blocked: blocked,
        soft_keys: btree_map(names(), soft_keys, 0..3),
        services: btree_map(names(), service, 0..3),
    })
}

pub(super) fn sites() -> impl Strategy<Value = Site> {
    let devices = btree_map("[A-Z0-9._-]{1,15}".prop_map(|name| name.parse().unwrap()), device(), 0..4);
    let lines = btree_map(numbers(), line(), 0..4);
    let routes = btree_map(patterns(), route(), 0..4);
    (settings(), devices, lines, routes, groups(), people(), rest()).prop_map(
        |(settings, devices, lines, routes, groups, people, rest)| Site {
            settings,
            devices,
            lines,
            routes,
            hunt_groups: groups.hunt_groups,
            paging_groups: groups.paging_groups,
            pickup_groups: groups.pickup_groups,
            parking: groups.parking,
            pools: people.pools,
            users: people.users,
            contacts: people.contacts,
            codes: people.codes,
            ..rest
        },
    )
}
