//! A real manager on a free port of loopback, that knows the phones of a plan.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "support for tests")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use selsius_exchange::{Config as ExchangeConfig, MediaAddresses};
use selsius_load::{Calls, Phones, Plan, Rate, Report, Rtp, Stop, site_toml};
use selsius_server::core::{Command, Limits, Running, Start, start};
use selsius_site::Site;
use selsius_station::{Config, ModelClass};
use selsius_store::Remembered;

pub(crate) struct Manager(Option<Running>);

impl Manager {
    /// One that knows these phones.
    pub(crate) fn of(phones: &Phones) -> Self {
        Self::with(site(phones), Limits::default())
    }

    pub(crate) fn with(site: Site, limits: Limits) -> Self {
        let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let remembered = Remembered::default();
        // Some phones speak through a relay, so that the manager sees another address than that of their audio.
        let exchange = ExchangeConfig { media_addresses: MediaAddresses::Any, ..ExchangeConfig::default() };
        let start_with = Start { listen, dscp: 0, exchange, site, remembered, limits };
        Self(Some(start(start_with, Box::new(|_| true)).unwrap()))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.as_ref().unwrap().addresses[0]
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let Some(running) = self.0.take() else { return };
        let _ = running.handle.send(Command::Stop);
        let ended = running.thread.join();
        assert!(ended.is_ok() || std::thread::panicking(), "the exchange's thread panicked");
    }
}

/// The office of these phones.
pub(crate) fn site(phones: &Phones) -> Site {
    Site::from_toml("site.toml", &site_toml(phones, "7965")).unwrap()
}

pub(crate) fn phones(count: u32) -> Phones {
    Phones {
        count,
        names: "SEP%012X".parse().unwrap(),
        first_number: Phones::default_first_number(count),
        config: Config::new("", ModelClass::P7965),
        register_rate: Rate::AtOnce,
        sources: None,
        idle: 0,
    }
}

/// A plan for a short run, in which only failures take as long as patience.
pub(crate) fn plan(target: SocketAddr, phones: Phones, rate: Option<f64>, duration: Duration) -> Plan {
    Plan {
        target,
        phones,
        calls: Calls { rate, ..Calls::default() },
        storms: Vec::new(),
        rtp: Rtp::Off,
        duration,
        patience: Duration::from_secs(20),
        really: false,
    }
}

pub(crate) fn run(plan: &Plan) -> Report {
    selsius_load::run(plan, &Stop::default(), |_| {}).unwrap()
}
