//! The sources of a direction whose state is kept, the one that was heard last first.

use std::collections::VecDeque;

/// Sources that are kept. A party has one at a time, and a new one when it is connected with somebody else.
const MOST: usize = 16;

/// Whose state the library keeps.
#[derive(Debug, Default)]
pub(crate) struct Sources(VecDeque<u32>);

impl Sources {
    /// This one was heard. The answer is the one to be forgotten for it.
    pub(crate) fn heard(&mut self, source: u32) -> Option<u32> {
        if self.0.front() == Some(&source) {
            return None;
        }
        self.0.retain(|&known| known != source);
        self.0.push_front(source);
        if self.0.len() > MOST { self.0.pop_back() } else { None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_silent_for_longest_is_forgotten() {
        let mut sources = Sources::default();
        assert!((0..16).all(|source| sources.heard(source).is_none()));
        assert_eq!((sources.heard(0), sources.heard(16)), (None, Some(1)));
        assert_eq!(sources.iter().count(), MOST);
    }
}
