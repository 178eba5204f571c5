//! All messages: what is known of each, and one enum per direction.

mod define;
mod info;
mod list;
mod received;

pub use info::{Category, Direction, Kind, MessageInfo, message_info};
pub use list::{MESSAGES, ManagerMessage, StationMessage};
pub use received::{Anomaly, DecodeError, Message, MessageSet, Opaque, Received};
