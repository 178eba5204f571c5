//! A map of the few things that a phone has of a kind.

use alloc::vec::Vec;

/// An ordered map with a bound, as large as what is in it. The smallest node of a B-tree has room for eleven entries, which is a
/// kilobyte for the one line that most phones have.
#[derive(Debug, Clone)]
pub(crate) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.place(key).ok().and_then(|place| self.0.get(place)).map(|(_, value)| value)
    }

    /// Puts a value under a key, unless there are `limit` others.
    pub(crate) fn insert(&mut self, key: K, value: V, limit: usize)
    where
        V: Default,
    {
        if let Some(place) = self.entry(key, limit) {
            *place = value;
        }
    }

    /// The value under a key, made if there is room for one more.
    pub(crate) fn entry(&mut self, key: K, limit: usize) -> Option<&mut V>
    where
        V: Default,
    {
        let place = match self.place(&key) {
            Ok(place) => place,
            Err(_) if self.0.len() >= limit => return None,
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (key, V::default()));
                place
            }
        };
        self.0.get_mut(place).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// Keeps what fulfils this.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.0.retain(|(_, value)| keep(value));
    }

    /// By ascending keys.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// By ascending keys.
    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// By ascending keys.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Where a key is, or belongs.
    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_order_and_bounded() {
        let mut few = Few::default();
        for key in [5, 1, 3, 1, 9, 7] {
            few.insert(key, key * 10, 4);
        }
        // There was no room for the last one.
        assert!(few.iter().eq([(&1, &10), (&3, &30), (&5, &50), (&9, &90)]));
        assert_eq!((few.get(&3), few.get(&7)), (Some(&30), None));
        few.insert(9, 91, 4);
        assert!(few.get(&9) == Some(&91) && few.entry(7, 4).is_none());
        few.remove(&7);
        few.remove(&1);
        assert_eq!(few.entry(7, 4), Some(&mut 0));
        few.values_mut().for_each(|value| *value += 1);
        few.retain(|value| *value != 51);
        assert!(few.values().eq([&31, &1, &92]));
    }
}
