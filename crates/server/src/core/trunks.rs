//! Which trunk is what: orders go to whoever is at its other end, and what it says comes back.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use selsius_exchange::{TrunkEvent, TrunkLegId, TrunkOrder, loopback::Loopback, record::EndCause};
use selsius_site::{DeviceName, Name, Site, TrunkKind};
use tokio::sync::mpsc;

use super::Core;

/// An order for who is at the other end of a trunk, with what the exchange's thread knows of the way there.
#[derive(Debug)]
pub struct Ordered {
    /// What the exchange wants.
    pub order: TrunkOrder,
    /// With an offer: the address at which the caller's phone reaches the manager; none if no phone is in the call.
    pub reached: Option<IpAddr>,
}

/// Who is at the other end of a kind of trunk: orders go there, and wait for nothing. Its events come back as
/// [`Command::Trunk`](super::Command::Trunk).
pub type FarEnd = mpsc::Sender<Ordered>;

/// The trunks, by their kinds.
#[derive(Debug, Default)]
pub(super) struct Trunks {
    /// The one that leads back here, for sites that have one.
    loopback: Loopback,
    /// Who is at the other end of the other kinds.
    far_ends: BTreeMap<TrunkKind, FarEnd>,
    /// Calls that are not the loopback's, and whose they are.
    legs: BTreeMap<TrunkLegId, TrunkKind>,
    /// What is said for a far end that could not be told.
    events: VecDeque<TrunkEvent>,
}

impl Trunks {
    pub(super) fn connect(&mut self, kind: TrunkKind, far_end: FarEnd) {
        self.far_ends.insert(kind, far_end);
    }

    /// The exchange begins anew, and its calls are no more.
    pub(super) fn begin_again(self) -> Self {
        let mut trunks = Self { far_ends: self.far_ends, ..Self::default() };
        for (leg, kind) in self.legs {
            // A call that cannot be told ends by its own limits.
            trunks.send(kind, TrunkOrder::HangUp { leg, cause: EndCause::Interrupted }, None);
        }
        trunks.events.clear();
        trunks
    }

    /// Gives an order to whoever it is for.
    fn handle(&mut self, site: &Site, order: TrunkOrder, reached: Option<IpAddr>) {
        let Some(leg) = order.leg() else { return self.send(TrunkKind::Sip, order, None) };
        if let TrunkOrder::Offer { trunk, .. } = &order {
            let kind = kind_of(site, trunk);
            if kind != TrunkKind::Loopback {
                self.legs.insert(leg, kind);
            }
        }
        let kind = match &order {
            TrunkOrder::HangUp { .. } => self.legs.remove(&leg),
            _ => self.legs.get(&leg).copied(),
        };
        match kind {
            None | Some(TrunkKind::Loopback) => self.loopback.handle(order),
            Some(kind) => self.send(kind, order, reached),
        }
    }

    /// Nothing waits here: a far end that has no room loses the call.
    fn send(&mut self, kind: TrunkKind, order: TrunkOrder, reached: Option<IpAddr>) {
        let leg = order.leg();
        let sent = self
            .far_ends
            .get(&kind)
            .is_some_and(|far_end| far_end.try_send(Ordered { order, reached }).is_ok());
        // Without a call there is nothing to lose: how many messages wait is told again when that changes.
        let Some(leg) = leg.filter(|_| !sent) else { return };
        if self.legs.remove(&leg).is_some() {
            tracing::warn!(kind = %kind, "no room for an order to a trunk: its call ends");
            self.events.push_back(TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk });
        }
    }

    /// What happened at a far end, before the exchange hears it.
    pub(super) fn heard(&mut self, site: &Site, event: &TrunkEvent) {
        match event {
            TrunkEvent::Offer { leg, trunk, .. } => {
                self.legs.insert(*leg, kind_of(site, trunk));
            }
            TrunkEvent::HungUp { leg, .. } => drop(self.legs.remove(leg)),
            _ => {}
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<TrunkEvent> {
        self.events.pop_front().or_else(|| self.loopback.poll_event())
    }
}

impl Core {
    pub(super) fn order(&mut self, order: TrunkOrder) {
        let reached = match &order {
            TrunkOrder::Offer { leg, .. } => {
                let configured = self.anchors.address();
                configured.or_else(|| self.exchange.reached_by(*leg)).map(|address| address.to_canonical())
            }
            _ => None,
        };
        self.trunks.handle(self.exchange.site(), order, reached);
    }
}

/// What is at the other end of a trunk of this name, or of a SIP phone.
fn kind_of(site: &Site, name: &str) -> TrunkKind {
    if name.parse::<DeviceName>().is_ok_and(|name| site.sip_phones.contains_key(&name)) {
        return TrunkKind::Sip;
    }
    let trunk = name.parse::<Name>().ok().and_then(|name| site.trunks.get(&name));
    trunk.map(|trunk| trunk.kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use selsius_exchange::record::Party;

    use super::*;

    fn site() -> Site {
        let mut site = Site::default();
        let house = selsius_site::Trunk { kind: TrunkKind::Services, ..Default::default() };
        site.trunks.insert("house".parse().unwrap(), house);
        site.trunks.insert("outside".parse().unwrap(), selsius_site::Trunk::default());
        site
    }

    fn offer(leg: u64, trunk: &str) -> TrunkOrder {
        TrunkOrder::Offer {
            leg: TrunkLegId(leg),
            trunk: trunk.into(),
            contact: None,
            number: "1999".into(),
            calling: Party::default(),
            redirecting: None,
            codecs: Vec::new(),
            packet_ms: 20,
            listens: None,
            emergency: false,
            meet_me: false,
        }
    }

    #[test]
    fn orders_go_where_their_trunk_leads_and_a_far_end_without_room_loses_the_call() {
        let (site, mut trunks) = (site(), Trunks::default());
        let (far_end, mut orders) = mpsc::channel(2);
        trunks.connect(TrunkKind::Services, far_end);
        trunks.handle(&site, offer(2, "house"), None);
        assert!(trunks.poll_event().is_none());
        trunks.handle(&site, offer(4, "outside"), None);
        assert!(matches!(trunks.poll_event(), Some(TrunkEvent::Offer { leg: TrunkLegId(1), .. })));
        trunks.handle(&site, TrunkOrder::Digit { leg: TrunkLegId(2), digit: '1' }, None);
        trunks.handle(&site, TrunkOrder::Digit { leg: TrunkLegId(2), digit: '2' }, None);
        let lost = TrunkEvent::HungUp { leg: TrunkLegId(2), cause: EndCause::NoTrunk };
        assert_eq!(trunks.poll_event(), Some(lost));
        assert!(matches!(orders.try_recv().unwrap().order, TrunkOrder::Offer { leg: TrunkLegId(2), .. }));
        assert!(matches!(orders.try_recv().unwrap().order, TrunkOrder::Digit { digit: '1', .. }));
        // It is forgotten: what else is said of it is nobody's.
        trunks.handle(&site, TrunkOrder::Digit { leg: TrunkLegId(2), digit: '3' }, None);
        assert!(orders.try_recv().is_err() && trunks.poll_event().is_none());
    }

    #[test]
    fn calls_that_a_crash_cut_off_are_ended_at_the_far_end() {
        let (site, mut trunks) = (site(), Trunks::default());
        let (far_end, mut orders) = mpsc::channel(9);
        trunks.connect(TrunkKind::Services, far_end);
        trunks.handle(&site, offer(2, "house"), None);
        trunks.handle(&site, offer(4, "house"), None);
        trunks.heard(&site, &TrunkEvent::HungUp { leg: TrunkLegId(4), cause: EndCause::CalledHungUp });
        let mut trunks = trunks.begin_again();
        let told: Vec<_> = std::iter::from_fn(|| orders.try_recv().ok()?.order.leg()).collect();
        assert_eq!(told, [2, 4, 2].map(TrunkLegId));
        assert!(trunks.legs.is_empty() && trunks.poll_event().is_none());
        trunks.handle(&site, offer(2, "house"), None);
        assert!(orders.try_recv().is_ok());
    }
}
