//! Sections of the type softkeyset.

use super::{Import, Section};
use crate::{KeySet, Name, SoftKey, SoftKeys, key::KeyPath};

pub(super) fn read(import: &mut Import<'_>, section: &Section) {
    let Some(name) = import.parse::<Name>(&section.name, &section.name, &section.place) else { return };
    let at = KeyPath::new(&["soft-keys", name.as_str()]);
    import.place(at.clone(), &section.place);
    let mut keys = SoftKeys::default();
    for entry in section.entries.iter().filter(|entry| entry.key != "type") {
        let Some(set) = set(&entry.key) else {
            import.leave_entry_out(entry, "selsius has no soft keys of their own for this");
            continue;
        };
        import.place(at.key(set.name()), &entry.place);
        let mut of_set = Vec::new();
        for word in entry.value.split([',', ' ']).filter(|word| !word.is_empty()) {
            match key(word) {
                Some(key) if of_set.contains(&key) => {}
                Some(key) => of_set.push(key),
                None if word.eq_ignore_ascii_case("empty") => {}
                None => import.leave_entry_out(entry, format!("selsius has no soft key {word:?}")),
            }
        }
        keys.0.insert(set, of_set);
    }
    import.site.soft_keys.insert(name, keys);
}

fn set(name: &str) -> Option<KeySet> {
    Some(match name {
        "onhook" => KeySet::OnHook,
        "connected" => KeySet::Connected,
        "onhold" => KeySet::OnHold,
        "ringin" => KeySet::RingIn,
        "offhook" => KeySet::OffHook,
        "conntrans" => KeySet::ConnectedTransfer,
        "digitsfoll" => KeySet::DigitsFollowing,
        "connconf" => KeySet::ConnectedConference,
        "ringout" => KeySet::RingOut,
        "offhookfeat" => KeySet::OffHookFeature,
        "onhint" => KeySet::InUseHint,
        _ => return None,
    })
}

fn key(name: &str) -> Option<SoftKey> {
    Some(match name.to_ascii_lowercase().as_str() {
        "redial" => SoftKey::Redial,
        "newcall" => SoftKey::NewCall,
        "hold" => SoftKey::Hold,
        "transfer" => SoftKey::Transfer,
        "cfwdall" => SoftKey::ForwardAll,
        "back" => SoftKey::Backspace,
        "endcall" => SoftKey::EndCall,
        "resume" => SoftKey::Resume,
        "answer" => SoftKey::Answer,
        "conf" | "confrn" => SoftKey::Conference,
        "park" => SoftKey::Park,
        "join" => SoftKey::Join,
        "meetme" => SoftKey::MeetMe,
        "pickup" => SoftKey::Pickup,
        "gpickup" => SoftKey::GroupPickup,
        "barge" => SoftKey::Barge,
        "cbarge" => SoftKey::ConferenceBarge,
        "dirtrfr" => SoftKey::DirectTransfer,
        "select" => SoftKey::Select,
        "conflist" => SoftKey::ConferenceList,
        "callback" => SoftKey::Callback,
        "idivert" => SoftKey::Divert,
        "dnd" => SoftKey::DoNotDisturb,
        "dial" => SoftKey::Dial,
        _ => return None,
    })
}
