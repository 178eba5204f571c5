//! How far a long file was read: a bar on standard error.

use std::{
    io::{self, IsTerminal, Read, stderr, stdout},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use rustix::fs::{FileType, fstat};

/// Who reads shorter sees no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// That somebody watches how a file is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    /// Which reading of several it is.
    label: &'static str,
    /// When the first one began.
    since: Instant,
}

/// Where the text goes that is written while the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing is written, or into a file.
    Elsewhere,
    /// To standard output.
    Stdout,
}

impl Watch {
    /// `None` where a bar would be in the way, or where nobody sees it.
    pub(crate) fn new(label: &'static str, since: Instant, shown: Shown) -> Option<Self> {
        // What goes through a pipe often ends on the same terminal, as with `| less`.
        let free = shown == Shown::Elsewhere
            || !stdout().is_terminal()
                && fstat(stdout()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) != FileType::Fifo);
        (free && stderr().is_terminal()).then_some(Self { label, since })
    }

    /// Lets a file of `length` bytes be watched.
    pub(crate) fn file<R: Read>(self, input: R, length: u64) -> Watched<R> {
        let template = "{prefix} {bar:30} {percent:>3} %  {bytes} of {total_bytes}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is a constant that is right");
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden())
            .with_style(style.progress_chars("━╸─"))
            .with_prefix(self.label)
            .with_finish(ProgressFinish::AndClear);
        Watched { input, bar, read: 0, show_after: self.since + PATIENCE, shown: false }
    }
}

/// A file that is watched. The bar goes away with it.
pub(crate) struct Watched<R> {
    input: R,
    bar: ProgressBar,
    read: u64,
    show_after: Instant,
    shown: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read += count as u64;
        if !self.shown && Instant::now() >= self.show_after {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(self.read);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(since: Instant) -> Watched<Cursor<Vec<u8>>> {
        let mut file = Watch { label: "reading", since }.file(Cursor::new(vec![7; 100_000]), 100_000);
        assert_eq!(io::copy(&mut file, &mut io::sink()).unwrap(), 100_000);
        file
    }

    #[test]
    fn short_files_show_nothing_and_long_ones_how_far_they_are() {
        let short = read(Instant::now());
        assert!(!short.shown);
        assert_eq!((short.bar.position(), short.bar.length()), (100_000, Some(100_000)));
        let long = read(Instant::now().checked_sub(2 * PATIENCE).unwrap());
        assert!(long.shown);
        assert_eq!(long.bar.position(), 100_000);
    }
}
