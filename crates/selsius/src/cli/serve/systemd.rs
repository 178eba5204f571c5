//! What systemd is told, where it wants to know (`Type=notify`); elsewhere nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// More than the manager takes to stop after its calls have ended.
const STOP: Duration = Duration::from_secs(15);

/// It serves phones.
pub(super) fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving phones")]);
}

/// It reads its configuration; [`ready`] comes next.
pub(super) fn reloading() {
    // systemd tells two reloads apart by the time.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It is being stopped, and its calls have so long to end: systemd shall wait for that.
pub(super) fn stopping(grace: Duration) {
    let most = u32::try_from((grace + STOP).as_micros()).unwrap_or(u32::MAX);
    let status = NotifyState::Status("stopping when the calls in progress have ended");
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(most), status]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}

/// Signs of life, if systemd wants them (`WatchdogSec`).
pub(super) struct Watchdog(Option<Interval>);

impl Watchdog {
    pub(super) fn new() -> Self {
        // As often as systemd advises: twice in its time.
        let every = sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|every| !every.is_zero());
        Self(every.map(|every| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        }))
    }

    /// Waits until it is time for a sign of life; for ever where nobody wants one.
    pub(super) async fn due(&mut self) {
        match &mut self.0 {
            Some(ticks) => drop(ticks.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Gives it.
    pub(super) fn alive() {
        tell(&[NotifyState::Watchdog]);
    }
}
