//! The table: lengths, ids, header versions and features by protocol version. Every row says where it comes
//! from.
//!
//! Lengths are those of the header: id and body. Where sources know two lengths, the longer one is sent: a
//! short fixed message sent to a phone makes it read beyond the end and hang up (threats.md), a longer one
//! does no harm.
//!
//! Evidence: "4.1" is the CallManager 4.1 capture (a 7912 that offered version 7), "chan v3" and "chan v17"
//! are the chan-sccp captures, "v20" is the CallManager capture with header version 20, "layout" is the
//! field's layout list.

use crate::{
    DeviceType, Features, LabelSupport, ManagerMessage as M, StationMessage as S, message::ButtonTemplate,
};

/// What RegisterAck says.
pub(super) const fn answer_features(version: u8) -> Features {
    Features(match version {
        // chan-sccp and others at version 3.
        0..=4 => [0, 0, 0],
        // 4.1, frame 89, to a 7912.
        5..=7 => [0x00, 0x00, 0xFE],
        // Other servers at version 5 to 10 (wire-facts).
        8..=10 => [0x20, 0xF1, 0xFE],
        // A manager to a v18 device; chan v17, frame 9.
        11.. => [0x20, 0xF1, 0xFF],
    })
}

/// Labels after 0x80 are in all captures from version 3 on (chan v3: soft keys and prompts); CallManager 3.x,
/// whose phones offer no version, sends plain text (cm31, cm33). Labels after 0x1E are known from
/// implementations of the newer versions only.
pub(super) const fn labels(version: u8, ancient: bool) -> LabelSupport {
    match version {
        _ if ancient => LabelSupport::Plain,
        0..=10 => LabelSupport::Set200,
        11.. => LabelSupport::All,
    }
}

/// Header versions seen are 0, 10, 11 and 15 to 22 (wire-facts, Framing).
pub(super) fn header_version(version: u8) -> u32 {
    match version {
        0..=9 => 0,
        10.. => version.into(),
    }
}

/// RegisterAck, UnregisterAck and KeepAliveAck carry 0 in every version (chan v17, v20).
pub(super) fn manager_header(message: &M, version: u8) -> u32 {
    match message {
        M::RegisterAck(_) | M::UnregisterAck(_) | M::KeepAliveAck(_) => 0,
        _ => header_version(version),
    }
}

/// Register and IpPort carry 0 in every version (wire-facts); so do messages before registration.
pub(super) fn station_header(message: &S, version: u8) -> u32 {
    match message {
        S::Register(_) | S::IpPort(_) => 0,
        _ => header_version(version),
    }
}

/// The length of a message to a phone; `None` for the whole layout.
pub(super) fn manager_length(message: &M, version: u8) -> Option<usize> {
    Some(match (message, version) {
        // 4.1, frame 148: ends after the salt.
        (M::OpenReceiveChannel(_), 5..=7) => 72,
        // chan v3: 112 for phones of version 3; layout: 112 from version 11. FreeSWITCH sends 96 at version
        // 3.
        (M::OpenReceiveChannel(_), 0..=4 | 8..=15) => 112,
        // layout: one more word, the requested kind of address.
        (M::OpenReceiveChannel(_), 16) => 116,
        // chan v17, v20 (and v18 captures): tagged.
        (M::OpenReceiveChannel(_), 17..=20) => 132,
        // layout: gain and modem relay; v22 servers.
        (M::OpenReceiveChannel(_), 21..) => 172,

        // 4.1, frame 154: ends after the salt.
        (M::StartMediaTransmission(_), 5..=7) => 88,
        // chan v3: 120 for phones of version 3; layout: 116 up to version 14, 120 from 15.
        (M::StartMediaTransmission(_), 0..=4 | 8..=16) => 120,
        // chan v17, v20 (and v18 captures): tagged.
        (M::StartMediaTransmission(_), 17..=20) => 136,
        // layout: modem relay; v22 servers.
        (M::StartMediaTransmission(_), 21..) => 172,

        // layout: the source from version 11 on, the requested kind of address from 16 on.
        (M::OpenMultiMediaReceiveChannel(_), 0..=10) => 168,
        (M::OpenMultiMediaReceiveChannel(_), 11..=15) => 176,
        (M::OpenMultiMediaReceiveChannel(_), 16) => 180,

        // 4.1, end of call. Everybody else sends 20, chan-sccp at version 3 too.
        (M::StopMediaTransmission(_) | M::CloseReceiveChannel(_), 5..=7) => 16,

        // 4.1, frame 147. The layout list has the tone from version 11 on, but chan-sccp sends 16 at version 3 too, and
        // the longer form does no harm.
        (M::StopTone(_), 5..=7) => 12,

        // layout: 96 up to version 18. chan v3 and chan v17 have 100; "100 or 108" at v18 (sources disagree).
        (M::ForwardStat(_), 5..=7) => 96,
        (M::ForwardStat(_), _) => 100,

        // 4.1, cm31, cm33: 42 slots, 32 slots. chan-sccp sends 56 and 64, for more buttons and keys.
        (M::ButtonTemplate(template), _) if uses(template.button_count, CALL_MANAGER_BUTTONS) => {
            BUTTONS_LENGTH
        }
        (M::SoftKeyTemplate(template), _) if uses(template.soft_key_count, CALL_MANAGER_KEYS) => KEYS_LENGTH,
        _ => return None,
    })
}

/// The length of a message from a phone; `None` for the whole layout.
pub(super) fn station_length(message: &S, version: u8) -> Option<usize> {
    Some(match (message, register_version(message, version)) {
        // CallManager 2.x and phones without a version byte: everything up to it (length 48 has the byte).
        (S::Register(_), 0) => 44,
        // The 7912 of 4.1, frame 87.
        (S::Register(_), 5..=7) => 56,
        // chan v3: an emulated phone, up to the scope of its address.
        (S::Register(_), 1..=4) => 72,
        // chan v17; an IOS bridge at version 18.
        (S::Register(_), _) => 128,

        // 4.1; the phones at version 3 and from 17 on are captured with 12.
        (S::OffHook(_) | S::OnHook(_), 5..=7) => 4,
        // Captured with header version 0 ("later" in wire-facts); the whole layout is 20.
        (S::Stimulus(_), 5..=11) => 16,
        // wire-facts: 28 at 4.1; from version 19 on 36, which is the whole layout.
        (S::EnblocCall(_), 5..=7) => 28,
        // 4.1, frame 155: no call reference.
        (S::OpenReceiveChannelAck(_), 5..=7) => 20,
        // 4.1 and chan v17: no reason. It is there at length 8 in newer phones.
        (S::UnregisterReq(_), 0..=19) => 4,
        // layout: what the stream carries from version 19 on.
        (S::PortRes(_), 0..=16) => 28,
        (S::PortRes(_), 17..=18) => 44,
        // 4.1; a 7965 at version 22 sends 12.
        (S::FeatureStatReq(_), 0..=19) => 8,
        _ => return None,
    })
}

/// Register precedes the agreement: what it offers decides its form.
fn register_version(message: &S, version: u8) -> u8 {
    match message {
        S::Register(register) => register.protocol_ver,
        _ => version,
    }
}

/// Buttons that CallManager's form has room for.
const CALL_MANAGER_BUTTONS: usize = 42;
const BUTTONS_LENGTH: usize = 100;
/// Soft keys that CallManager's form has room for.
const CALL_MANAGER_KEYS: usize = 32;
const KEYS_LENGTH: usize = 656;
const _: () = assert!(BUTTONS_LENGTH + 2 * (ButtonTemplate::CAPACITY - CALL_MANAGER_BUTTONS) == 128);

/// Whether `count` slots are within `room`.
fn uses(count: u32, room: usize) -> bool {
    usize::try_from(count).is_ok_and(|count| count <= room)
}

/// Whether display messages and call information are dynamic (0x0143 to 0x0145, 0x014A). They are known from
/// version 8 on. The bit "dynamic messages" alone does not say so: the 7912 of 4.1 sets it and gets 0x0112
/// and 0x008F, and it reboots on messages that it does not know.
pub(super) const fn dynamic_display(version: u8) -> bool {
    version >= 8
}

/// Whether LineStat and SpeedDialStat are dynamic (0x0147, 0x0149): from version 17 on (chan v17), and for
/// the models that know no other form (wire-facts, Quirks).
pub(super) const fn dynamic_lines(version: u8, device_type: DeviceType) -> bool {
    version >= 17
        || (version >= 8
            && matches!(
                device_type,
                DeviceType::Cisco6901
                    | DeviceType::Cisco6911
                    | DeviceType::Cisco6921
                    | DeviceType::Cisco6941
                    | DeviceType::Cisco6945
                    | DeviceType::Cisco6961
                    | DeviceType::Cisco8941
                    | DeviceType::Cisco8945
            ))
}

/// Whether ServiceUrlStat is dynamic (0x0148). Sources say from version 7 on; a 7912 at version 7 gets what
/// CallManager 4.1 had.
pub(super) const fn dynamic_service(version: u8) -> bool {
    version >= 8
}

/// Whether FeatureStat is dynamic (0x0146): from version 15 on (wire-facts).
pub(super) const fn dynamic_feature(version: u8) -> bool {
    version >= 15
}
