//! Recordings of calls: a thread that writes what the media thread hears, and the folder that it writes to.
//!
//! The media thread hands over half a second at a time by a queue that it never waits for. A queue that is full (the disk stands
//! still) loses that half second: the file has silence in its place, so that both sides stay where they were, and the log says
//! so. Files are written under another name, with a header that is right after each second: whatever kills the manager, what is
//! there can be played, and gets its name at the next start. Nothing of this can hold up or end a call.

mod folder;
mod tape;
mod writer;

pub(crate) use self::{
    folder::{Folder, Found},
    tape::{Tape, Tapes},
    writer::{Recorder, Shortfall, start, tidy},
};

/// What files are called before they are whole.
const PART: &str = "part";
/// Samples of a frame of the media engine's: 20 ms.
const FRAME: usize = 160;
/// Frames that are handed over together.
const FRAMES: usize = 25;
