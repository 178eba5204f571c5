//! Mailboxes as folders: what is in one is what its files say, so that nothing has to agree with anything after a crash.
//!
//! A message is `TIME-CALLER.new.wav`, and `TIME-CALLER.old.wav` once it was heard; TIME is milliseconds of Unix. Beside them lie
//! `greeting.wav` and `pin`. Files are written under another name, to the disk, and then renamed: one that has its name is whole.
//! All of this waits for the disk, so it is not for threads that serve others.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::{Timestamp, tz::TimeZone};
use selsius_media::{Law, SAMPLE_RATE};
use selsius_voice::{Mailbox, Message, MessageId};

use super::tries::Tries;

/// Messages in one mailbox; then it is full.
const MOST_MESSAGES: usize = 100;
/// What files are called before they are whole.
const PART: &str = "part";
const GREETING: &str = "greeting.wav";
const PIN: &str = "pin";

/// The mailboxes.
#[derive(Debug)]
pub(super) struct Mailboxes {
    folder: PathBuf,
    /// Too many wrong PINs close a mailbox to other phones than its own.
    wrong: Tries,
    /// One thing at a time is written, so that no two messages get the same name.
    writing: Mutex<()>,
}

/// How many messages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) new: u32,
    pub(super) old: u32,
}

impl Mailboxes {
    /// Those in a folder, which is made when it is needed. What was being written when the last manager was killed is removed.
    pub(super) fn open(folder: PathBuf) -> Self {
        for mailbox in entries(&folder) {
            for file in entries(&mailbox) {
                if file.extension().is_some_and(|extension| extension == PART)
                    && let Err(error) = fs::remove_file(&file)
                {
                    tracing::warn!(file = %file.display(), %error, "cannot remove what is left of a message");
                }
            }
        }
        Self { folder, wrong: Tries::default(), writing: Mutex::default() }
    }

    /// The mailboxes that have been used.
    pub(super) fn used(&self) -> Vec<String> {
        entries(&self.folder).iter().filter_map(|path| Some(path.file_name()?.to_str()?.into())).collect()
    }

    /// What is in a mailbox.
    pub(super) fn look(&self, number: &str, zone: &TimeZone) -> Mailbox {
        let folder = self.folder.join(number);
        let mut messages: Vec<Message> =
            entries(&folder).iter().filter_map(|path| message(path, zone)).collect();
        messages.sort_by_key(|message| message.id);
        Mailbox {
            number: number.into(),
            pin: fs::read_to_string(folder.join(PIN)).ok().filter(|pin| !pin.is_empty()),
            locked: self.wrong.are_too_many(number),
            greeting: folder.join(GREETING).exists(),
            full: messages.len() >= MOST_MESSAGES,
            messages,
        }
    }

    pub(super) fn counts(&self, number: &str) -> Counts {
        let messages = self.look(number, &TimeZone::UTC).messages;
        let old = messages.iter().filter(|message| message.heard).count();
        let [new, old] = [messages.len() - old, old].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Counts { new, old }
    }

    /// Somebody has entered a wrong PIN.
    pub(super) fn wrong_pin(&self, number: &str) {
        if self.wrong.wrong(number) {
            tracing::warn!(
                mailbox = number,
                "too many wrong PINs: the mailbox is closed to other phones for a while"
            );
        }
    }

    /// Keeps what was recorded (µ-law codes) as a new message.
    pub(super) fn keep(&self, number: &str, caller: &str, sound: &[u8]) -> io::Result<MessageId> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mailbox = self.look(number, &TimeZone::UTC);
        if mailbox.full {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "mailbox is full"));
        }
        let last = mailbox.messages.last().map_or(0, |message| message.id.0 + 1);
        let time = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default().max(last);
        let caller: String = caller.chars().filter(|&char| is_dialled(char)).take(32).collect();
        self.write_wav(number, &format!("{time}-{caller}.new.wav"), sound)?;
        Ok(MessageId(time))
    }

    /// The owner has heard a message.
    pub(super) fn heard(&self, number: &str, id: MessageId) -> io::Result<()> {
        let Some(from) = self.find(number, id) else { return Ok(()) };
        let Some(stem) = from.to_str().and_then(|path| path.strip_suffix(".new.wav")) else { return Ok(()) };
        fs::rename(&from, format!("{stem}.old.wav"))?;
        sync(&self.folder.join(number))
    }

    /// The owner wants a message no more.
    pub(super) fn delete(&self, number: &str, id: MessageId) -> io::Result<()> {
        let Some(path) = self.find(number, id) else { return Ok(()) };
        fs::remove_file(path)?;
        sync(&self.folder.join(number))
    }

    /// The owner's own greeting from now on; `None` is the usual one.
    pub(super) fn set_greeting(&self, number: &str, sound: Option<&[u8]>) -> io::Result<()> {
        match sound {
            Some(sound) => self.write_wav(number, GREETING, sound),
            None => match fs::remove_file(self.folder.join(number).join(GREETING)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }

    pub(super) fn set_pin(&self, number: &str, pin: &str) -> io::Result<()> {
        self.write(number, PIN, |file| file.write_all(pin.as_bytes()))
    }

    /// Where a message is.
    pub(super) fn find(&self, number: &str, id: MessageId) -> Option<PathBuf> {
        entries(&self.folder.join(number))
            .into_iter()
            .find(|path| parts(path).is_some_and(|(found, ..)| found == id))
    }

    /// Where a greeting is, if there is one.
    pub(super) fn greeting(&self, number: &str) -> PathBuf {
        self.folder.join(number).join(GREETING)
    }

    fn write_wav(&self, number: &str, name: &str, sound: &[u8]) -> io::Result<()> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        self.write(number, name, |file| {
            let mut bytes = io::Cursor::new(Vec::new());
            let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(io::Error::other)?;
            for &code in sound {
                writer.write_sample(Law::Mu.decode_sample(code)).map_err(io::Error::other)?;
            }
            writer.finalize().map_err(io::Error::other)?;
            file.write_all(bytes.get_ref())
        })
    }

    /// Writes a file so that it is there whole, or not at all, whatever happens.
    fn write(
        &self,
        number: &str,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let folder = self.folder.join(number);
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            sync(&self.folder)?;
        }
        let part = folder.join(format!("{name}.{PART}"));
        // What people say to each other, and their PINs, are nobody else's business.
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let mut writer = BufWriter::new(file);
        fill(&mut writer)?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, folder.join(name))?;
        sync(&folder)
    }
}

/// A folder's names are on the disk only after this.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn is_dialled(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, '+' | '*' | '#')
}

/// Name, caller and state of a message, out of its file's name.
fn parts(path: &Path) -> Option<(MessageId, &str, bool)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".wav")?;
    let (name, heard) = match (name.strip_suffix(".new"), name.strip_suffix(".old")) {
        (Some(name), _) => (name, false),
        (None, name) => (name?, true),
    };
    let (time, caller) = name.split_once('-')?;
    Some((MessageId(time.parse().ok()?), caller, heard))
}

fn message(path: &Path, zone: &TimeZone) -> Option<Message> {
    let (id, caller, heard) = parts(path)?;
    let at = Timestamp::from_millisecond(i64::try_from(id.0).ok()?).ok()?;
    Some(Message { id, heard, at: zone.to_datetime(at), caller: caller.into() })
}

#[cfg(test)]
mod tests {
    use super::{super::tries, *};

    #[test]
    fn a_mailbox_is_what_its_files_say() {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Mailboxes::open(folder.path().join("voicemail"));
        assert_eq!(mailboxes.counts("1001"), Counts { new: 0, old: 0 });
        mailboxes.keep("1001", "10/../02", &[0xFF; 800]).unwrap();
        mailboxes.keep("1001", "", &[0x00; 1600]).unwrap();
        let found = mailboxes.look("1001", &TimeZone::UTC).messages;
        let callers: Vec<_> = found.iter().map(|message| (message.caller.as_str(), message.heard)).collect();
        assert_eq!(callers, [("1002", false), ("", false)]);
        let path = mailboxes.find("1001", found[1].id).unwrap();
        let samples: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
        assert_eq!(samples, vec![Law::Mu.decode_sample(0); 1600]);

        mailboxes.heard("1001", found[0].id).unwrap();
        mailboxes.heard("1001", found[0].id).unwrap();
        assert_eq!(mailboxes.counts("1001"), Counts { new: 1, old: 1 });
        mailboxes.delete("1001", found[1].id).unwrap();
        mailboxes.set_pin("1001", "4711").unwrap();
        mailboxes.set_greeting("1001", Some(&[1; 800])).unwrap();
        let left = folder.path().join("voicemail/1001/17-1002.new.wav.part");
        fs::write(&left, "half").unwrap();

        // Another process finds the same.
        let mailboxes = Mailboxes::open(folder.path().join("voicemail"));
        assert!(!left.exists());
        let mailbox = mailboxes.look("1001", &TimeZone::UTC);
        assert_eq!((mailbox.pin.as_deref(), mailbox.greeting), (Some("4711"), true));
        assert_eq!(mailbox.messages, [Message { heard: true, ..found[0].clone() }]);
        assert_eq!(mailboxes.used(), ["1001"]);
        mailboxes.set_greeting("1001", None).unwrap();
        mailboxes.set_greeting("1001", None).unwrap();
        assert!(!mailboxes.look("1001", &TimeZone::UTC).greeting);
    }

    #[test]
    fn a_full_mailbox_takes_no_more_and_wrong_pins_close_it() {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Mailboxes::open(folder.path().into());
        for _ in 0..MOST_MESSAGES {
            mailboxes.keep("1001", "1002", &[0xFF; 80]).unwrap();
        }
        assert!(mailboxes.keep("1001", "1002", &[0xFF; 80]).is_err());
        assert_eq!(mailboxes.counts("1001").new, 100);
        for _ in 1..tries::MOST {
            mailboxes.wrong_pin("1001");
        }
        assert!(!mailboxes.look("1001", &TimeZone::UTC).locked);
        mailboxes.wrong_pin("1001");
        assert!(
            mailboxes.look("1001", &TimeZone::UTC).locked && !mailboxes.look("1002", &TimeZone::UTC).locked
        );
    }
}
