//! One key out of the two ways on which it is told.

use alloc::collections::VecDeque;
use core::time::Duration;

/// How a key was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the exchange: phones send it a message.
    Signalling,
    /// By telephone events in the audio (RFC 4733).
    Audio,
}

/// A phone may tell a key on both ways, or on either. The second telling of a key is no second key.
#[derive(Debug, Default)]
pub struct Keys {
    told: VecDeque<(Way, char, Duration)>,
}

/// The two tellings of a key are no further apart: telephone events are known when the first packet comes, messages when the
/// key is pressed.
const APART: Duration = Duration::from_secs(1);
/// Keys that may wait for their second telling.
const MOST: usize = 16;

impl Keys {
    /// A key is told, so long after the beginning: is it a new one?
    pub fn is_new(&mut self, now: Duration, way: Way, key: char) -> bool {
        self.told.retain(|&(_, _, at)| now.saturating_sub(at) <= APART);
        let first = self.told.iter().position(|&(other, told, _)| other != way && told == key);
        if let Some(first) = first {
            self.told.remove(first);
            return false;
        }
        if self.told.len() == MOST {
            self.told.pop_front();
        }
        self.told.push_back((way, key, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_told_twice_is_one_and_keys_of_one_way_are_each_new() {
        let mut keys = Keys::default();
        let mut is_new = |millis, way, key| keys.is_new(Duration::from_millis(millis), way, key);
        assert!(is_new(0, Way::Signalling, '1'));
        assert!(!is_new(40, Way::Audio, '1'));
        assert!(is_new(200, Way::Signalling, '1'));
        assert!(is_new(300, Way::Signalling, '1'), "the same key again");
        assert!(!is_new(310, Way::Audio, '1'));
        assert!(!is_new(320, Way::Audio, '1'));
        assert!(is_new(330, Way::Audio, '1'), "told in the audio first");
        assert!(!is_new(400, Way::Signalling, '1'));
        assert!(is_new(500, Way::Audio, '2'));
        assert!(is_new(2000, Way::Signalling, '2'), "much later it is another one");
        for n in 0..100 {
            assert!(is_new(3000 + n, Way::Audio, '5'));
        }
        assert!(keys.told.len() <= MOST);
    }
}
