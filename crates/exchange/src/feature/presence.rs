//! Call lists that show whether others are busy: a phone subscribes to the numbers in them.

use alloc::string::ToString;

use selsius_site::LineNumber;
use selsius_wire::{
    Time,
    message::{SubscriptionStat, SubscriptionStatReq},
    value::{SubscribeCause, SubscriptionFeature},
};

use crate::{arena::Handle, device::Device, exchange::Exchange, view::Transition};

/// Subscriptions of one phone; the oldest gives way.
const MOST: usize = 100;

/// A number in a call list whose state a phone shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// How the phone names it.
    pub(crate) transaction: u32,
    pub(crate) number: LineNumber,
}

impl Exchange {
    /// A phone wants to know how a number is, or (with no time) no longer. Until then, or until it is gone, it is told:
    /// it asks again well before its time is over, and takes no harm from what it did not ask for again.
    pub(crate) fn subscribe(&mut self, now: Time, handle: Handle<Device>, request: &SubscriptionStatReq) {
        let number = request.subscription_id.to_string().parse::<LineNumber>();
        let number = number.ok().filter(|number| self.site.lines.contains_key(number));
        let wanted = number.filter(|_| request.subscription_feature_id == SubscriptionFeature::Blf);
        let Some(device) = self.devices.get_mut(handle) else { return };
        let (session, transaction) = (device.session, request.transaction_id);
        let before = device.clone_watched();
        device.subscriptions.retain(|other| other.transaction != transaction);
        // Who asks again is told again.
        if let Some(told) = &mut device.told {
            told.presence.retain(|other| other.transaction != transaction);
        }
        let cause = if wanted.is_some() { SubscribeCause::Ok } else { SubscribeCause::RouteFail };
        if let Some(number) = wanted.filter(|_| request.timer > 0) {
            if device.subscriptions.len() == MOST {
                device.subscriptions.remove(0);
            }
            device.subscriptions.push(Subscription { transaction, number });
        }
        self.stop_watching(handle, &before);
        self.light_lamps_of(handle);
        self.send(
            session,
            SubscriptionStat {
                transaction_id: transaction,
                subscription_feature_id: request.subscription_feature_id,
                timer: request.timer,
                cause,
            },
        );
        self.render(now, handle, Transition::Change, None);
    }
}
