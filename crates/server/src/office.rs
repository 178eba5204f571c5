//! The site, of which the store has the durable form and the exchange the running one: how it changes.
//!
//! A change is made from the stored site, saved in one transaction if nobody saved in between (phones that register
//! themselves are saved by the store's writer, at any time), and then given to the exchange. What registered itself
//! between the two is in the exchange's site but not in the one that the change was made from; it is carried over
//! there, on the exchange's own thread, so that no phone loses the number it has just got.

use std::{path::Path, sync::Arc};

use jiff::tz::TimeZone;
use selsius_site::{AutoRegistration, Change, Site, SiteFile, SiteFileError, diff};
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
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The exchange. The change is stored and holds from the next start on at the latest.
    #[error("the change is stored, but {0}")]
    Exchange(#[from] Unavailable),
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

    /// The running site. Phones that registered themselves after the last change can be missing.
    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.running.borrow())
    }

    /// Applies a file.
    pub(crate) async fn apply(
        &self,
        file: &SiteFile,
        unmentioned: Unmentioned,
        mode: Mode,
    ) -> Result<Vec<Change>, ChangeError> {
        let exchange = self.exchange.lock().await;
        let (old, new) = save(&self.store, file, unmentioned, mode, self.auto_register.as_ref()).await?;
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

/// Applies a file to the stored site. The site before and after.
pub(crate) async fn save(
    store: &Store,
    file: &SiteFile,
    unmentioned: Unmentioned,
    mode: Mode,
    auto_register: Option<&AutoRegistration>,
) -> Result<(Site, Site), ChangeError> {
    let mut attempts = ATTEMPTS;
    loop {
        let stored = store.load_site().await?;
        let new = file.apply(&stored.site, unmentioned == Unmentioned::Goes);
        file.check(&new)?;
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
