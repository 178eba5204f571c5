//! The site, of which the store has the durable form and the exchange the running one: how it changes.
//!
//! A change is made from the stored site, saved in one transaction if nobody saved in between (phones that register
//! themselves are saved by the store's writer, at any time), and then given to the exchange. What registered itself
//! between the two is in the exchange's site but not in the one that the change was made from; it is carried over
//! there, on the exchange's own thread, so that no phone loses the number it has just got.

use std::{fmt, path::Path, sync::Arc};

use jiff::tz::TimeZone;
use selsius_site::{AutoRegistration, Change, NoEntry, Site, SiteFile, SiteFileError, diff};
use selsius_store::{Store, StoreError};
use thiserror::Error;
use tokio::{
    runtime::Handle as Runtime,
    sync::{Mutex, watch},
    task::spawn_blocking,
};

use crate::core::{Command, Handle, Unavailable};

/// Keeps stored and running site together.
#[derive(Debug)]
pub(crate) struct Office {
    store: Store,
    /// Held by whoever changes the site.
    exchange: Mutex<Handle>,
    /// The running site, for those who make files from it.
    running: watch::Sender<Arc<Site>>,
    auto_register: Option<AutoRegistration>,
}

/// Why a change did not happen.
#[derive(Debug, Error)]
pub(crate) enum ChangeError {
    /// The file has mistakes.
    #[error(transparent)]
    File(#[from] SiteFileError),
    /// The file goes against how this manager was started.
    #[error("the site does not go with --auto-register {range}: {fault}")]
    AutoRegister { range: AutoRegistration, fault: String },
    /// No such zone.
    #[error("settings.time-zone: no zone is called {0:?}; expected a name such as \"Europe/Berlin\"")]
    Zone(String),
    /// There can be no such entry.
    #[error(transparent)]
    NoEntry(#[from] NoEntry),
    /// There is no such entry.
    #[error("the site has no {0}")]
    Missing(Entry),
    /// There is one already.
    #[error("the site has {0} already")]
    Exists(Entry),
    /// The file is to change one entry, and mentions others.
    #[error("the change is to be of {0} alone: the table that it names, and no other")]
    Others(Entry),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The exchange. The change is stored and holds from the next start on at the latest.
    #[error("the change is stored, but {0}")]
    Exchange(#[from] Unavailable),
}

/// One entry of a site, by the key of its section and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) section: String,
    pub(crate) key: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section, self.key)
    }
}

/// A change of the site.
#[derive(Debug)]
pub(crate) enum Edit<'a> {
    /// What a file mentions.
    File { file: &'a SiteFile, unmentioned: Unmentioned },
    /// An entry that is not there yet.
    Add(&'a Entry, &'a SiteFile),
    /// An entry as the file has it, whatever it was.
    Replace(&'a Entry, &'a SiteFile),
    /// What the file mentions of an entry that is there.
    Change(&'a Entry, &'a SiteFile),
    /// An entry goes.
    Remove(&'a Entry),
}

impl Edit<'_> {
    /// The site that this makes of `old`; valid as far as the site's own rules go.
    fn make(&self, old: &Site) -> Result<Site, ChangeError> {
        let (entry, file) = match self {
            Self::File { file, unmentioned } => {
                let new = file.apply(old, *unmentioned == Unmentioned::Goes);
                file.check(&new)?;
                return Ok(new);
            }
            Self::Remove(entry) => {
                if !Site::default().copy_entry(old, &entry.section, &entry.key)? {
                    return Err(ChangeError::Missing((*entry).clone()));
                }
                let mut new = old.clone();
                new.copy_entry(&Site::default(), &entry.section, &entry.key)?;
                // Who still needs it is told by name, as for a file that mentions nothing.
                SiteFile::parse("removal", "")?.check(&new)?;
                return Ok(new);
            }
            Self::Add(entry, file) | Self::Replace(entry, file) | Self::Change(entry, file) => {
                (*entry, *file)
            }
        };
        let (section, key) = (entry.section.as_str(), entry.key.as_str());
        let there = Site::default().copy_entry(old, section, key)?;
        let (made, mut alone) = (file.apply(&Site::default(), false), Site::default());
        if !alone.copy_entry(&made, section, key)? || alone != made {
            return Err(ChangeError::Others(entry.clone()));
        }
        let from = match self {
            Self::Add(..) if there => return Err(ChangeError::Exists(entry.clone())),
            Self::Change(..) if !there => return Err(ChangeError::Missing(entry.clone())),
            Self::Change(..) => file.apply(old, false),
            _ => made,
        };
        let mut new = old.clone();
        new.copy_entry(&from, section, key)?;
        file.check(&new)?;
        Ok(new)
    }
}

/// How much a change may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only say what would change.
    DryRun,
    /// Do it.
    Apply,
}

/// What happens to what a file does not mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmentioned {
    /// It stays.
    Stays,
    /// It goes, or goes back to its default.
    Goes,
}

/// Saves that may meet a phone that registers itself at the same time before the change is given up.
const ATTEMPTS: usize = 20;

impl Office {
    /// `site` is the running site, as [`running`] makes it.
    pub(crate) fn new(
        store: Store,
        exchange: Handle,
        site: Site,
        auto_register: Option<AutoRegistration>,
    ) -> Self {
        let (running, _) = watch::channel(Arc::new(site));
        Self { store, exchange: Mutex::new(exchange), running, auto_register }
    }

    /// The running site, now and whenever it changes.
    pub(crate) fn follow(&self) -> watch::Receiver<Arc<Site>> {
        self.running.subscribe()
    }

    /// The running site. Phones that registered themselves after the last change can be missing.
    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.running.borrow())
    }

    /// Changes the site.
    pub(crate) async fn apply(&self, edit: &Edit<'_>, mode: Mode) -> Result<Vec<Change>, ChangeError> {
        let exchange = self.exchange.lock().await;
        let (old, new) = save(&self.store, edit, mode, self.auto_register.as_ref()).await?;
        let changes = diff(&old, &new);
        if mode == Mode::Apply && !changes.is_empty() {
            self.run(&exchange, old, new).await?;
        }
        Ok(changes)
    }

    /// Replaces everything that is stored by a backup.
    pub(crate) async fn restore(&self, backup: &Path) -> Result<Vec<Change>, ChangeError> {
        let exchange = self.exchange.lock().await;
        let old = self.store.load_site().await?.site;
        // On a thread of its own: the compiler cannot see that this future may move between threads.
        let (store, backup, runtime) = (self.store.clone(), backup.to_owned(), Runtime::current());
        let restored = spawn_blocking(move || runtime.block_on(store.restore(&backup))).await;
        restored.map_err(|_| StoreError::Closed)??;
        let new = self.store.load_site().await?.site;
        let changes = diff(&old, &new);
        let remembered = self.store.remembered().await?;
        exchange.ask(|answer| Command::Recall(remembered, answer)).await?;
        self.run(&exchange, old, new).await?;
        Ok(changes)
    }

    /// Makes the exchange run `new`, which was made from `base`.
    async fn run(&self, exchange: &Handle, base: Site, new: Site) -> Result<(), ChangeError> {
        let site = Box::new(running(new, self.auto_register.as_ref()));
        let runs = exchange.ask(|answer| Command::Site { site, base: Box::new(base), answer }).await?;
        self.running.send_replace(Arc::new(*runs));
        Ok(())
    }
}

/// Changes the stored site. The site before and after.
pub(crate) async fn save(
    store: &Store,
    edit: &Edit<'_>,
    mode: Mode,
    auto_register: Option<&AutoRegistration>,
) -> Result<(Site, Site), ChangeError> {
    let mut attempts = ATTEMPTS;
    loop {
        let stored = store.load_site().await?;
        let new = edit.make(&stored.site)?;
        check_zone(&new)?;
        if let Some(range) = auto_register {
            fits(&new, range).map_err(|fault| ChangeError::AutoRegister { range: range.clone(), fault })?;
        }
        if mode == Mode::DryRun || new == stored.site {
            return Ok((stored.site, new));
        }
        attempts -= 1;
        match store.save_site(&new, stored.version).await {
            Ok(_) => return Ok((stored.site, new)),
            Err(StoreError::Conflict { .. }) if attempts > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The site as it runs: the stored one with what only holds for this run.
pub(crate) fn running(mut stored: Site, auto_register: Option<&AutoRegistration>) -> Site {
    if let Some(range) = auto_register {
        stored.settings.auto_registration = Some(range.clone());
    }
    stored
}

/// Can the site give out these numbers?
pub(crate) fn fits(site: &Site, range: &AutoRegistration) -> Result<(), String> {
    let fault = running(site.clone(), Some(range)).validate().into_iter().next();
    fault.map_or(Ok(()), |fault| Err(fault.problem.to_string()))
}

/// The site's parser knows the form of a zone's name, this machine knows the zones.
fn check_zone(site: &Site) -> Result<(), ChangeError> {
    match &site.settings.time_zone {
        Some(name) if TimeZone::get(name).is_err() => Err(ChangeError::Zone(name.clone())),
        _ => Ok(()),
    }
}

/// Adds to `new` the phones of `current` that are not in `base`, which `new` was made from: those that registered
/// themselves in between. One whose number `new` has meanwhile given to a line is left out; it gets another when it
/// comes back.
pub(crate) fn carry_over(current: &Site, base: &Site, new: &mut Site) {
    for (name, device) in &current.devices {
        if base.devices.contains_key(name) || new.devices.contains_key(name) {
            continue;
        }
        let lines: Vec<_> = device.lines().map(|number| (number, current.lines.get(number))).collect();
        if lines.iter().any(|(number, line)| line.is_none() || new.lines.contains_key(number)) {
            continue;
        }
        new.devices.insert(name.clone(), device.clone());
        let lines = lines.into_iter().filter_map(|(number, line)| Some((number.clone(), line?.clone())));
        new.lines.extend(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Site {
        Site::from_toml("test.toml", text).unwrap_or_else(|error| panic!("{error}"))
    }

    const BASE: &str = "[lines.1001]\n[devices.SEP000000000001]\nbuttons = [{ line = \"1001\" }]\n";

    fn with(device: &str, line: &str) -> Site {
        site(&format!("{BASE}[lines.{line}]\n[devices.{device}]\nbuttons = [{{ line = \"{line}\" }}]"))
    }

    #[test]
    fn one_entry_is_changed_and_nothing_else() {
        let old = with("SEP000000000002", "1002");
        let entry = |section: &str, key: &str| Entry { section: section.into(), key: key.into() };
        let file = |text: &str| SiteFile::parse("body", text).unwrap_or_else(|error| panic!("{error}"));
        let (line, named) = (entry("lines", "1002"), file("[lines.1002]\nname = \"Bob\""));
        let told = |edit: Edit<'_>| match edit.make(&old) {
            Ok(new) => diff(&old, &new).iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            Err(error) => error.to_string(),
        };
        assert_eq!(told(Edit::Add(&line, &named)), "the site has lines.1002 already");
        assert_eq!(told(Edit::Change(&line, &named)), "~ line 1002 name: \"\" -> \"Bob\"");
        let bare = file("[devices.SEP000000000002]");
        let device = entry("devices", "SEP000000000002");
        assert_eq!(told(Edit::Change(&device, &bare)), "");
        assert!(
            told(Edit::Replace(&device, &bare)).contains("button 1"),
            "{}",
            told(Edit::Replace(&device, &bare))
        );
        let missing = entry("lines", "1009");
        let alone = file("[lines.1009]");
        assert_eq!(told(Edit::Change(&missing, &alone)), "the site has no lines.1009");
        assert_eq!(told(Edit::Remove(&missing)), "the site has no lines.1009");
        assert_eq!(told(Edit::Add(&missing, &alone)), "+ line 1009");
        for other in ["[lines.1009]\n[lines.1002]", "[settings]\nname = \"X\"", "[lines.1002]", ""] {
            let said = told(Edit::Replace(&missing, &file(other)));
            assert!(said.starts_with("the change is to be of lines.1009 alone"), "{other}: {said}");
        }
        let said = told(Edit::Remove(&line));
        assert!(said.contains("devices.SEP000000000002.buttons[1]") && said.contains("1002"), "{said}");
        assert_eq!(told(Edit::Remove(&device)).lines().count(), 1);
    }

    #[test]
    fn a_phone_that_came_in_between_keeps_its_number() {
        let (base, current) = (site(BASE), with("SEP000000000002", "1002"));
        let mut new = site("[lines.2000]\nname = \"New\"");
        carry_over(&current, &base, &mut new);
        let names: Vec<_> = new.devices.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["SEP000000000002"], "what the change removes is gone");
        let lines: Vec<_> = new.lines.keys().map(ToString::to_string).collect();
        assert_eq!(lines, ["1002", "2000"]);
        assert_eq!(new.validate(), []);
    }

    #[test]
    fn a_number_that_was_given_away_meanwhile_is_not_taken_back() {
        let (base, current) = (site(BASE), with("SEP000000000002", "1002"));
        let mut new = site("[lines.1002]\nname = \"Boss\"");
        let before = new.clone();
        carry_over(&current, &base, &mut new);
        assert_eq!(new, before);
    }

    #[test]
    fn numbers_for_unknown_phones_hold_for_the_run_only() {
        let range: AutoRegistration = "1001-1999".parse().unwrap();
        let stored = site(BASE);
        assert_eq!(running(stored.clone(), Some(&range)).settings.auto_registration, Some(range));
        let emergency = site("[lines.1]\n[routes.112]\nlines = [\"1\"]\nemergency = true");
        let fault = fits(&emergency, &"100-199".parse().unwrap()).unwrap_err();
        assert!(fault.contains("112"), "{fault}");
    }
}
