//! Subscriptions to the state of others, and waiting messages. No capture has one of these; the fields are
//! those of the field's layout list.

use selsius_wire_derive::Wire;

use crate::value::{MwiResult, SubscribeCause, SubscriptionFeature, Text};

/// 0x0048, answered by [`SubscriptionStat`]: a phone wants to show whether others are busy, in its call
/// lists. Length 80.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SubscriptionStatReq {
    /// Pairs question, answer and notices.
    pub transaction_id: u32,
    /// What it wants to know.
    pub subscription_feature_id: SubscriptionFeature,
    /// Seconds.
    pub timer: u32,
    /// Of whom: a number.
    pub subscription_id: Text<64>,
}

/// 0x0152, the answer to [`SubscriptionStatReq`]. Length 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SubscriptionStat {
    /// As asked.
    pub transaction_id: u32,
    /// As asked.
    pub subscription_feature_id: SubscriptionFeature,
    /// Seconds.
    pub timer: u32,
    /// How it went.
    pub cause: SubscribeCause,
}

/// 0x0153. What was subscribed to has changed. Length 113, 116 with its padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Notification {
    /// Of the subscription.
    pub transaction_id: u32,
    /// Of the subscription.
    pub subscription_feature_id: SubscriptionFeature,
    /// The state; what it means depends on the feature.
    pub notification_status: u32,
    /// What is shown.
    pub text: Text<97>,
}

/// 0x004C, answered by [`MwiRes`]: messages wait for somebody. Length 90, 92 with its padding. The numbers
/// have 25 bytes in every version, and what follows is unaligned. Who sends it is not known: taken both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MwiNotification {
    /// For whom.
    pub mwi_target_number: Text<25>,
    /// Who says so.
    pub mwi_control_number: Text<25>,
    /// Whether any do.
    pub are_messages_waiting: u32,
    /// Voice messages.
    pub total_vm_counts: MwiMessageCounts,
    /// Urgent ones.
    pub priority_vm_counts: MwiMessageCounts,
    /// Faxes.
    pub total_fax_counts: MwiMessageCounts,
    /// Urgent ones.
    pub priority_fax_counts: MwiMessageCounts,
}

/// How many messages wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MwiMessageCounts {
    /// Not heard yet.
    pub num_new_msgs: u32,
    /// Heard.
    pub num_old_msgs: u32,
}

/// 0x0158, the answer to [`MwiNotification`]. Length 33, 36 with its padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct MwiRes {
    /// As asked.
    pub mwi_target_number: Text<25>,
    /// How it went.
    pub mwi_notification_result: MwiResult,
}
