//! How much a manager can make a station remember.

use core::time::Duration;

/// Calls at once, on all lines.
pub const CALLS: usize = 100;
/// Calls that a manager named in a message other than CallState, and that have no state yet.
pub const ANNOUNCED_CALLS: usize = 8;
/// Call references of ended calls that are remembered, so that a late message does not bring them back.
pub const ENDED_CALLS: usize = 8;
/// Buttons of a template (42 slots in the message, 56 in its longer form).
pub const BUTTONS: usize = 64;
/// Lamps that belong to no button, such as the one for messages.
pub const LAMPS: usize = 64;
/// Soft keys in a template (32 slots, 64 in the longer form).
pub const SOFT_KEYS: usize = 64;
/// Soft key sets.
pub const SOFT_KEY_SETS: usize = 32;
/// Streams in each direction. A phone with a built-in bridge has three in a recorded call.
pub const STREAMS: usize = 16;
/// Streams whose counters are kept for ConnectionStatisticsReq.
pub const REPORTS: usize = 16;
/// Priorities with a notification of their own.
pub const NOTIFICATIONS: usize = 16;
/// Digits of a number being dialled.
pub const DIGITS: usize = 64;
/// Bytes of a screen that comes in parts: a page of 4000 characters, all of them references.
pub const SCREEN: usize = 32 * 1024;
/// Characters of any text that is shown.
pub const TEXT: usize = 256;

/// How long a phone waits for the answer to one question of its registration before it asks the next. CallManager 2.x
/// never answers the soft key requests (captured-details.md).
pub const ANSWER: Duration = Duration::from_secs(2);
/// How long a phone waits for RegisterAck, a token or UnregisterAck before it gives the connection up.
pub const REGISTRATION: Duration = Duration::from_secs(30);
/// Keepalive interval when the manager gives none, and its bounds.
pub const KEEPALIVE: Duration = Duration::from_secs(30);
/// Shortest keepalive interval that a manager can ask for.
pub const KEEPALIVE_MIN: Duration = Duration::from_secs(1);
/// Longest keepalive interval that a manager can ask for.
pub const KEEPALIVE_MAX: Duration = Duration::from_secs(3600);
/// So many intervals without KeepAliveAck, and the manager counts as gone.
pub const KEEPALIVES_MISSED: u32 = 3;
/// How long a single ring lasts.
pub const SINGLE_RING: Duration = Duration::from_secs(2);
/// Packet sizes, in milliseconds, that a stream can have.
pub const PACKET_MS: core::ops::RangeInclusive<u32> = 10..=200;
