//! What the media thread holds of a recording: it collects both sides, and hands them over without ever waiting.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError},
    },
};

use selsius_exchange::Side;

use super::{FRAME, FRAMES, writer::Shared};
use crate::media::{Happening, Watcher};

/// Half a second of a recording.
pub(super) struct Piece {
    /// Of which one. Nothing follows to one that nobody holds any more.
    pub(super) tape: Arc<Reel>,
    /// Frames that were lost before it.
    pub(super) lost: u64,
    /// The caller's samples and the called party's, in turns.
    pub(super) samples: Vec<i16>,
}

/// One recording.
#[derive(Debug)]
pub(super) struct Reel {
    /// The name of its file.
    pub(super) name: String,
    /// It cannot be written any further.
    pub(super) failed: AtomicBool,
}

/// A recording, as long as something can follow to it.
#[derive(Debug, Clone)]
pub(crate) struct Tape {
    pub(super) reel: Arc<Reel>,
    pieces: SyncSender<Piece>,
    shared: Arc<Shared>,
}

impl Tape {
    pub(super) fn new(name: String, pieces: SyncSender<Piece>, shared: Arc<Shared>) -> Self {
        let failed = AtomicBool::new(false);
        Self { reel: Arc::new(Reel { name, failed }), pieces, shared }
    }

    /// Takes what a party says and hears, which is on this side of its call.
    pub(crate) fn watcher(&self, side: Side) -> Watcher {
        let mut head = Head { tape: self.clone(), side, samples: Vec::new(), lost: 0 };
        Box::new(move |happening| {
            if let Happening::Sound { said, heard } = happening {
                head.take(said, heard);
            }
        })
    }
}

/// What is collected of one party.
struct Head {
    tape: Tape,
    side: Side,
    samples: Vec<i16>,
    /// Frames that found no room, and were not told of yet.
    lost: u64,
}

impl Head {
    fn take(&mut self, said: &[i16], heard: &[i16]) {
        if self.tape.reel.failed.load(Ordering::Relaxed) {
            return;
        }
        self.samples.reserve(2 * FRAME * FRAMES);
        let (caller, called) = match self.side {
            Side::Caller => (said, heard),
            Side::Called => (heard, said),
        };
        self.samples.extend(caller.iter().zip(called).flat_map(|(&one, &other)| [one, other]));
        if self.samples.len() >= 2 * FRAME * FRAMES {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let samples = std::mem::take(&mut self.samples);
        let frames = (samples.len() / (2 * FRAME)) as u64;
        let piece = Piece { tape: Arc::clone(&self.tape.reel), lost: self.lost, samples };
        match self.tape.pieces.try_send(piece) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Full(_)) => {
                self.lost += frames;
                add(&self.tape.shared.lost_frames, frames);
            }
            // Nobody writes any more: the manager ends.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        if !self.samples.is_empty() || self.lost > 0 {
            self.hand_over();
        }
    }
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

/// The recordings that calls have at present, by their names.
#[derive(Debug, Default)]
pub(crate) struct Tapes(BTreeMap<String, Tape>);

impl Tapes {
    /// The one of this name, which begins if there is none.
    pub(crate) fn tape(&mut self, name: String, begin: impl FnOnce(String) -> Tape) -> &Tape {
        self.0.entry(name).or_insert_with_key(|name| begin(name.clone()))
    }

    /// Nothing follows to it.
    pub(crate) fn end(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Nothing follows to any.
    pub(crate) fn end_all(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn frame(sample: i16) -> [i16; FRAME] {
        [sample; FRAME]
    }

    #[test]
    fn half_a_second_at_a_time_goes_out_with_the_caller_on_the_left() {
        let (pieces, incoming) = sync_channel(4);
        let tape = Tape::new("1-1-1001-1002.wav".into(), pieces, Arc::default());
        for (side, expected) in [(Side::Caller, [7, 9]), (Side::Called, [9, 7])] {
            let mut watcher = tape.watcher(side);
            for _ in 0..FRAMES + 1 {
                watcher(Happening::Sound { said: &frame(7), heard: &frame(9) });
            }
            let whole = incoming.try_recv().unwrap();
            assert_eq!((whole.samples.len(), whole.lost), (2 * FRAME * FRAMES, 0));
            assert_eq!(whole.samples[..2], expected);
            assert!(incoming.try_recv().is_err());
            // What is left goes out when the party is gone.
            drop(watcher);
            assert_eq!(incoming.try_recv().unwrap().samples.len(), 2 * FRAME);
        }
        drop(tape);
        assert!(incoming.recv().is_err(), "nobody holds it any more");
    }

    #[test]
    fn a_full_queue_loses_sound_and_says_how_much() {
        let (pieces, incoming) = sync_channel(1);
        let shared = Arc::<Shared>::default();
        let tape = Tape::new("1-1-1001-1002.wav".into(), pieces, Arc::clone(&shared));
        let mut watcher = tape.watcher(Side::Caller);
        let mut say = |pieces: usize| {
            for _ in 0..pieces * FRAMES {
                watcher(Happening::Sound { said: &frame(1), heard: &frame(2) });
            }
        };
        say(3);
        assert_eq!(shared.lost_frames.load(Ordering::Relaxed), 2 * FRAMES as u64);
        assert_eq!(incoming.try_recv().unwrap().lost, 0);
        say(1);
        assert_eq!(incoming.try_recv().unwrap().lost, 2 * FRAMES as u64);
        say(1);
        assert_eq!(incoming.try_recv().unwrap().lost, 0, "told once");
        // Whoever cannot be written is not collected any further.
        tape.reel.failed.store(true, Ordering::Relaxed);
        say(1);
        assert!(incoming.try_recv().is_err());
    }

    #[test]
    fn a_name_that_goes_on_is_the_same_tape() {
        let (pieces, incoming) = sync_channel(4);
        let mut tapes = Tapes::default();
        let begun = std::cell::Cell::new(0);
        let begin = |name| {
            begun.set(begun.get() + 1);
            Tape::new(name, pieces.clone(), Arc::default())
        };
        let reel = Arc::downgrade(&tapes.tape("a".into(), begin).reel);
        // On hold, and back.
        drop(tapes.tape("a".into(), begin).watcher(Side::Caller));
        assert_eq!((begun.get(), reel.strong_count()), (1, 1));
        let watcher = tapes.tape("a".into(), begin).watcher(Side::Caller);
        tapes.end("a");
        assert_eq!(reel.strong_count(), 1, "its party is still there");
        drop(watcher);
        assert_eq!(reel.strong_count(), 0);
        tapes.tape("b".into(), begin);
        tapes.end_all();
        assert!(incoming.try_recv().is_err());
    }
}
