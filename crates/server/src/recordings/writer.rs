//! The thread that writes recordings.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use hound::{SampleFormat, WavSpec, WavWriter};
use selsius_media::SAMPLE_RATE;
use selsius_site::Settings;
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    FRAME, Folder, Tape,
    tape::{Piece, Reel},
};
use crate::core::{self, Command, Unavailable};

/// Pieces that may wait for the disk: 16 MB, and some seconds for a hundred recordings.
const PIECES: usize = 1024;
/// How often it is looked at which recordings are complete.
const TICK: Duration = Duration::from_millis(500);
/// The longest recording, in frames: a day. A WAV file has room for a day and a half.
const LONGEST: u64 = 24 * 3600 * 50;
/// How often it is looked at which recordings are too old, or too many.
const TIDY: Duration = Duration::from_secs(600);

const SPEC: WavSpec =
    WavSpec { channels: 2, sample_rate: SAMPLE_RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };

/// What others see of the thread.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) lost_frames: AtomicU64,
    running: AtomicU64,
    failures: AtomicU64,
    failing: Mutex<Option<String>>,
}

/// How the recordings are.
#[derive(Debug, Clone)]
pub(crate) struct Shortfall(Arc<Shared>);

impl Shortfall {
    /// Why nothing could be written the last time.
    pub(crate) fn failing(&self) -> Option<String> {
        self.0.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Recordings that are written at present.
    pub(crate) fn running(&self) -> u64 {
        self.0.running.load(Ordering::Relaxed)
    }

    /// Recordings that could not be written, or not to their end, since the start.
    pub(crate) fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// Frames of sound (20 ms) for which the disk was too slow, since the start.
    pub(crate) fn lost_frames(&self) -> u64 {
        self.0.lost_frames.load(Ordering::Relaxed)
    }
}

/// Begins recordings. The thread ends with the last of these and their tapes.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pieces: SyncSender<Piece>,
    shared: Arc<Shared>,
}

impl Recorder {
    /// A recording of this name; its file is there as soon as there is sound.
    pub(crate) fn begin(&self, name: String) -> Tape {
        Tape::new(name, self.pieces.clone(), Arc::clone(&self.shared))
    }

    /// How the recordings are.
    pub(crate) fn shortfall(&self) -> Shortfall {
        Shortfall(Arc::clone(&self.shared))
    }
}

/// Starts the thread. What the last manager was writing when it was killed gets its name first. The receiver is told nothing,
/// and ends with the thread.
///
/// # Errors
/// If the system refuses a thread.
pub(crate) fn start(folder: Folder, exchange: core::Handle) -> io::Result<(Recorder, oneshot::Receiver<()>)> {
    let (pieces, incoming) = sync_channel(PIECES);
    let shared = Arc::new(Shared::default());
    let mut writer = Writer {
        folder,
        exchange,
        pieces: incoming,
        shared: Arc::clone(&shared),
        open: BTreeMap::new(),
        untold: Vec::new(),
    };
    let (alive, ended) = oneshot::channel();
    std::thread::Builder::new().name("recorder".into()).spawn(move || {
        let _alive = alive;
        writer.folder.recover();
        writer.run();
    })?;
    Ok((Recorder { pieces, shared }, ended))
}

/// Removes recordings that are too old, or too many, as the site says it at that time.
pub(crate) async fn tidy(mut site: watch::Receiver<Arc<selsius_site::Site>>, folder: Folder) {
    loop {
        let Settings { recordings_keep, recordings_mib, .. } = site.borrow_and_update().settings.clone();
        let days = Duration::from_secs(u64::from(recordings_keep) * 24 * 3600);
        let keep = (recordings_keep > 0).then_some(days);
        let most = (recordings_mib > 0).then_some(u64::from(recordings_mib) << 20);
        let folder = folder.clone();
        if let Ok(Err(error)) = spawn_blocking(move || folder.tidy(keep, most)).await {
            tracing::warn!(%error, "cannot delete old recordings");
        }
        // A site that is gone does not change any more, and the manager ends.
        if let Ok(Err(_)) = timeout(TIDY, site.changed()).await {
            std::future::pending().await
        }
    }
}

struct Writer {
    folder: Folder,
    exchange: core::Handle,
    pieces: Receiver<Piece>,
    shared: Arc<Shared>,
    /// By name.
    open: BTreeMap<String, Open>,
    /// What the exchange had no room for: names of recordings that failed, and whether there is anything of them.
    untold: Vec<(String, bool)>,
}

/// A file that is being written.
struct Open {
    /// Gone when nothing follows.
    reel: Weak<Reel>,
    wav: WavWriter<BufWriter<File>>,
    /// The same file, for what the writer above cannot do.
    file: File,
    /// Frames that are certainly in it.
    frames: u64,
}

impl Writer {
    fn run(&mut self) {
        let mut looked = Instant::now();
        loop {
            match self.pieces.recv_timeout(TICK) {
                Ok(piece) => self.take(&piece),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if looked.elapsed() >= TICK {
                looked = Instant::now();
                self.finish_ended();
                self.tell();
            }
        }
        self.finish_ended();
    }

    fn take(&mut self, piece: &Piece) {
        let name = &piece.tape.name;
        if piece.tape.failed.load(Ordering::Relaxed) {
            return;
        }
        if piece.lost > 0 {
            let seconds = piece.lost as f64 / 50.0;
            tracing::warn!(name, seconds, "the disk does not keep up: a recording has silence for so long");
        }
        match self.write(piece) {
            Ok(()) => *self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner) = None,
            Err(error) => self.fail(piece, &error),
        }
        self.shared.running.store(self.open.len() as u64, Ordering::Relaxed);
    }

    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        let name = &piece.tape.name;
        if !self.open.contains_key(name) {
            let file = self.folder.begin(name)?;
            let wav = WavWriter::new(BufWriter::new(file.try_clone()?), SPEC).map_err(cause)?;
            let reel = Arc::downgrade(&piece.tape);
            self.open.insert(name.clone(), Open { reel, wav, file, frames: 0 });
        }
        let Some(open) = self.open.get_mut(name) else { return Ok(()) };
        let frames = piece.lost + (piece.samples.len() / (2 * FRAME)) as u64;
        if open.frames + frames > LONGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than a day"));
        }
        for _ in 0..piece.lost as usize * 2 * FRAME {
            open.wav.write_sample(0_i16).map_err(cause)?;
        }
        for &sample in &piece.samples {
            open.wav.write_sample(sample).map_err(cause)?;
        }
        // The header says how long it is: whatever happens now, what is there can be played.
        open.wav.flush().map_err(cause)?;
        open.frames += frames;
        Ok(())
    }

    /// A recording ends where it cannot go on. What there is of it is kept.
    fn fail(&mut self, piece: &Piece, error: &io::Error) {
        piece.tape.failed.store(true, Ordering::Relaxed);
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        let name = &piece.tape.name;
        tracing::error!(name, %error, "cannot record a call, or not any further; the call goes on");
        *self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        let kept = match self.open.remove(name) {
            Some(Open { wav, file, frames: 1.., .. }) => {
                drop(wav);
                file.sync_all().and_then(|()| self.folder.finish(name)).is_ok()
            }
            Some(_) => {
                self.folder.discard(name);
                false
            }
            None => false,
        };
        self.untold.push((name.clone(), kept));
    }

    /// Gives the recordings to which nothing follows their names.
    fn finish_ended(&mut self) {
        let ended: Vec<_> = self.open.extract_if(.., |_, open| open.reel.strong_count() == 0).collect();
        for (name, open) in ended {
            let done = open.wav.finalize().map_err(cause).and_then(|()| open.file.sync_all());
            match done.and_then(|()| self.folder.finish(&name)) {
                Ok(()) => tracing::info!(name, seconds = open.frames as f64 / 50.0, "a call was recorded"),
                Err(error) => tracing::error!(name, %error, "cannot complete a recording"),
            }
        }
        self.shared.running.store(self.open.len() as u64, Ordering::Relaxed);
    }

    fn tell(&mut self) {
        while let Some((name, kept)) = self.untold.pop() {
            let command = Command::RecordingFailed { name: name.clone(), kept };
            if let Err(Unavailable::Busy) = self.exchange.send(command) {
                return self.untold.push((name, kept));
            }
        }
    }
}

fn cause(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    use selsius_exchange::Side;

    use super::*;
    use crate::{Options, Server, media::Happening, recordings::FRAMES};

    const NAME: &str = "1795487400000-1-1001-1002.wav";

    /// Ends a recorder and gives what is in its folder.
    async fn ended(recorder: Recorder, ended: oneshot::Receiver<()>, folder: &Path) -> Vec<String> {
        drop(recorder);
        let _ = ended.await;
        let names = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn say(tape: &Tape, frames: usize) {
        let mut watcher = tape.watcher(Side::Caller);
        for _ in 0..frames {
            watcher(Happening::Sound { said: &[1000; FRAME], heard: &[-2000; FRAME] });
        }
    }

    #[tokio::test]
    async fn what_was_broken_off_is_kept_and_what_is_lost_is_silence() {
        let top = tempfile::tempdir().unwrap();
        let server = Server::start(Options::loopback(top.path().join("data"))).await.unwrap();
        let path = top.path().join("recordings");
        let folder = Folder::new(path.clone());
        // A manager was killed: one file has sound, another one nothing but a header, and one is none of ours.
        let mut wav = WavWriter::new(BufWriter::new(folder.begin("9-9-1-2.wav").unwrap()), SPEC).unwrap();
        (0..800).for_each(|_| wav.write_sample(5_i16).unwrap());
        wav.finalize().unwrap();
        drop(folder.begin("9-8-1-2.wav").unwrap());
        fs::write(path.join("mine.part"), "of somebody else").unwrap();

        let (recorder, end) = start(folder.clone(), server.exchange().clone()).unwrap();
        let tape = recorder.begin(NAME.into());
        say(&tape, FRAMES);
        let samples = vec![3; 2 * FRAME];
        let piece = Piece { tape: Arc::clone(&tape.reel), lost: 2, samples };
        recorder.pieces.send(piece).unwrap();
        drop(tape);
        let shortfall = recorder.shortfall();
        assert_eq!(ended(recorder, end, &path).await, [NAME, "9-9-1-2.wav", "mine.part"]);
        assert_eq!((shortfall.failing(), shortfall.failures(), shortfall.running()), (None, 0, 0));
        let mut read = hound::WavReader::open(path.join(NAME)).unwrap();
        assert_eq!(read.spec(), SPEC);
        let samples: Vec<i16> = read.samples().map(Result::unwrap).collect();
        assert_eq!(samples.len(), 2 * FRAME * (FRAMES + 3));
        assert_eq!(samples[..4], [1000, -2000, 1000, -2000]);
        let after = &samples[2 * FRAME * FRAMES..];
        assert!(after[..4 * FRAME].iter().all(|&sample| sample == 0) && after[4 * FRAME..] == [3; 2 * FRAME]);
        assert_eq!(folder.list().unwrap().len(), 2);
        server.stop().await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_told_of_until_it_can() {
        let top = tempfile::tempdir().unwrap();
        let server = Server::start(Options::loopback(top.path().join("data"))).await.unwrap();
        // Something else has the name of the folder: that stops root, too.
        let path = top.path().join("recordings");
        fs::write(&path, "").unwrap();
        let (recorder, end) = start(Folder::new(path.clone()), server.exchange().clone()).unwrap();
        let shortfall = recorder.shortfall();
        let tape = recorder.begin(NAME.into());
        say(&tape, FRAMES);
        let told = async {
            while shortfall.failing().is_none() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), told).await.unwrap();
        fs::remove_file(&path).unwrap();
        say(&tape, FRAMES);
        drop(tape);
        let next = recorder.begin("1795487400001-2-1001-1002.wav".into());
        say(&next, FRAMES);
        drop(next);
        assert_eq!(ended(recorder, end, &path).await, ["1795487400001-2-1001-1002.wav"]);
        assert_eq!((shortfall.failing(), shortfall.failures()), (None, 1), "a recording fails once");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        server.stop().await.unwrap();
    }
}
