//! Who watches what, and what they are told. The exchange only tells of what somebody watches.

use selsius_exchange::{CallStatus, Exchange, Notice, record::DeviceEvent, view::View};
use selsius_site::DeviceName;
use tokio::sync::mpsc::{Sender, error::TrySendError};

use crate::voice::RoomStatus;

/// News that may wait for one who watches: more than all phones of a large office cause when they register at once. Who
/// does not take them is told nothing more; the exchange never waits.
pub const WAITING_NEWS: usize = 4096;

/// What somebody wants to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// What a phone shows, whether it is there or not.
    Phone(DeviceName),
    /// What happens to all phones and calls.
    Everything,
}

/// What those who watch are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A phone shows something else.
    Face {
        /// Which.
        device: DeviceName,
        /// What it shows; `None` while it is not registered.
        face: Option<Box<Face>>,
    },
    /// Something happened to a phone.
    Device(DeviceEvent),
    /// A call has gone on.
    Call(CallStatus),
    /// Something has changed in a room.
    Room(RoomStatus),
}

/// What a phone shows, with what only the exchange can tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// All but the labels of the soft keys.
    pub view: View,
    /// The soft keys without a call, in English.
    pub idle_keys: Vec<String>,
    /// The soft keys of each call of the view, in its order.
    pub call_keys: Vec<Vec<String>>,
}

impl Face {
    /// What a phone with this view shows.
    pub(super) fn new(exchange: &Exchange, device: &DeviceName, view: View) -> Self {
        let words = |keys: Vec<&'static str>| keys.into_iter().map(Into::into).collect();
        Self {
            idle_keys: words(exchange.soft_keys(device, None)),
            call_keys: view.legs.iter().map(|leg| words(exchange.soft_keys(device, Some(leg)))).collect(),
            view,
        }
    }
}

/// Those who watch.
#[derive(Debug, Default)]
pub(super) struct Watchers(Vec<(Watch, Sender<News>)>);

impl Watchers {
    /// One more. It is told at once what the phone shows that it watches.
    pub(super) fn add(&mut self, exchange: &mut Exchange, watch: Watch, to: Sender<News>) {
        self.forget_gone(exchange);
        match &watch {
            Watch::Phone(device) => exchange.watch(device, true),
            Watch::Everything => exchange.watch_calls(true),
        }
        self.0.push((watch, to));
    }

    /// Watches the same in another exchange.
    pub(super) fn begin_again(&self, exchange: &mut Exchange) {
        for (watch, _) in &self.0 {
            match watch {
                Watch::Phone(device) => exchange.watch(device, true),
                Watch::Everything => exchange.watch_calls(true),
            }
        }
    }

    /// Tells what the exchange wants told.
    pub(super) fn notice(&mut self, exchange: &mut Exchange, notice: Notice) {
        let news = match notice {
            Notice::Face { device, view } => {
                let face = Face::new(exchange, &device, *view);
                News::Face { device, face: Some(Box::new(face)) }
            }
            Notice::FaceGone { device } => News::Face { device, face: None },
            Notice::Call(call) => News::Call(call),
        };
        self.tell(exchange, &news);
    }

    /// Tells those whom it concerns. Who does not take what was told before is no longer told anything.
    pub(super) fn tell(&mut self, exchange: &mut Exchange, news: &News) {
        let wants = |watch: &Watch| match (watch, news) {
            (Watch::Phone(watched), News::Face { device, .. }) => watched == device,
            (Watch::Everything, News::Device(_) | News::Call(_) | News::Room(_)) => true,
            (Watch::Phone(_), _) | (Watch::Everything, News::Face { .. }) => false,
        };
        let before = self.0.len();
        self.0.retain(|(watch, to)| {
            if !wants(watch) {
                return true;
            }
            let told = to.try_send(news.clone());
            if let Err(TrySendError::Full(_)) = told {
                tracing::warn!(?watch, "somebody who watches does not read, and is told nothing more");
            }
            told.is_ok()
        });
        if self.0.len() < before {
            self.unwatch(exchange);
        }
    }

    /// Takes those off the list who have gone.
    pub(super) fn forget_gone(&mut self, exchange: &mut Exchange) {
        let before = self.0.len();
        self.0.retain(|(_, to)| !to.is_closed());
        if self.0.len() < before {
            self.unwatch(exchange);
        }
    }

    /// Has the exchange tell no more of what nobody watches.
    fn unwatch(&self, exchange: &mut Exchange) {
        if !self.0.iter().any(|(watch, _)| *watch == Watch::Everything) {
            exchange.watch_calls(false);
        }
        let unwatched: Vec<_> = exchange
            .watched_phones()
            .filter(|device| {
                !self.0.iter().any(|(watch, _)| matches!(watch, Watch::Phone(one) if one == *device))
            })
            .cloned()
            .collect();
        for device in unwatched {
            exchange.watch(&device, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use selsius_exchange::{
        Config, Output, WallClock,
        record::{DeviceEventKind, WallTime},
    };
    use selsius_site::Site;
    use tokio::sync::mpsc::channel;

    use super::*;

    fn exchange() -> Exchange {
        Exchange::new(Config::default(), Site::default(), WallClock::default())
    }

    fn gone(device: &str) -> News {
        let kind = DeviceEventKind::Unregistered { reason: "silence".into() };
        News::Device(DeviceEvent { device: device.into(), at: WallTime(0), kind })
    }

    #[test]
    fn who_does_not_read_gives_way_and_the_exchange_stops_telling() {
        let (mut exchange, mut watchers) = (exchange(), Watchers::default());
        let (slow, mut slow_end) = channel(2);
        let (quick, mut quick_end) = channel(8);
        watchers.add(&mut exchange, Watch::Everything, slow);
        watchers.add(&mut exchange, Watch::Everything, quick);
        for device in ["SEP1", "SEP2", "SEP3"] {
            watchers.tell(&mut exchange, &gone(device));
        }
        let mut taken = Vec::new();
        while let Ok(news) = quick_end.try_recv() {
            taken.push(news);
        }
        assert_eq!(taken, [gone("SEP1"), gone("SEP2"), gone("SEP3")]);
        assert_eq!(slow_end.try_recv(), Ok(gone("SEP1")));
        assert_eq!(slow_end.try_recv(), Ok(gone("SEP2")));
        assert_eq!(slow_end.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Disconnected));
        assert_eq!(watchers.0.len(), 1);
    }

    #[test]
    fn a_phone_is_watched_as_long_as_somebody_does() {
        let (mut exchange, mut watchers) = (exchange(), Watchers::default());
        let phone: DeviceName = "SEP020000001001".parse().unwrap();
        let (first, mut first_end) = channel(8);
        let (second, second_end) = channel(8);
        for to in [first, second] {
            watchers.add(&mut exchange, Watch::Phone(phone.clone()), to);
        }
        while let Some(Output::Notice(notice)) = exchange.poll_output() {
            watchers.notice(&mut exchange, *notice);
        }
        let absent = News::Face { device: phone.clone(), face: None };
        assert_eq!(first_end.try_recv(), Ok(absent));
        drop(second_end);
        watchers.forget_gone(&mut exchange);
        assert_eq!(exchange.watched_phones().collect::<Vec<_>>(), [&phone]);
        drop(first_end);
        watchers.forget_gone(&mut exchange);
        assert_eq!(exchange.watched_phones().count(), 0);
    }
}
