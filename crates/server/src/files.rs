//! What phones fetch, whichever way: files made from the site, and those in the folder with firmware, locales and
//! rings.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::SystemTime,
};

use selsius_provision::{
    FileName,
    files::{Context, Served, is_ring, resolve},
};
use tokio::task::spawn_blocking;

use crate::office::Office;

/// The largest file that is served, in bytes; the largest firmware of these phones has less than 20 MB.
const MOST_BYTES: u64 = 64 << 20;
/// Most rings that are listed.
const MOST_RINGS: usize = 500;

/// What phones fetch.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) office: Arc<Office>,
    pub(crate) folder: Arc<Folder>,
    /// The address that phones are told; `None` for the one that they asked.
    pub(crate) advertise: Option<IpAddr>,
    pub(crate) sccp_port: u16,
    pub(crate) signalling_tos: u8,
    /// Where the phones' screens are.
    pub(crate) http_port: u16,
}

/// What is found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// These bytes.
    File(Arc<[u8]>),
    /// Nothing.
    Nothing,
    /// Something that is not served; the log says why.
    Unreadable,
}

impl Files {
    /// What a phone gets that asked the local address `local` for `name`.
    pub(crate) async fn find(&self, name: &str, local: IpAddr) -> Found {
        let rings = if lists_rings(name) { self.folder.rings().await } else { Vec::new() };
        let site = self.office.site();
        let manager = SocketAddr::new(self.advertise.unwrap_or(local), self.sccp_port);
        let context = Context {
            rings: &rings,
            signalling_tos: self.signalling_tos,
            services_port: Some(self.http_port),
            ..Context::new(&site, manager)
        };
        match resolve(name, &context) {
            Served::Generated(bytes) => Found::File(bytes.into()),
            Served::Folder(name) => self.folder.read(name).await,
            Served::NotFound => Found::Nothing,
        }
    }
}

fn lists_rings(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("ringlist.xml")
}

/// The folder with firmware, locales and rings. Nothing outside of it is ever read, whatever links lie in it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Files that are being sent, so that fifty phones with the same firmware share its bytes.
    shared: Mutex<BTreeMap<FileName, Shared>>,
}

#[derive(Debug)]
struct Shared {
    bytes: Weak<[u8]>,
    modified: Option<SystemTime>,
}

impl Folder {
    /// Makes the folder if it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.canonicalize()?, shared: Mutex::default() })
    }

    async fn read(self: &Arc<Self>, name: FileName) -> Found {
        let folder = Arc::clone(self);
        let asked = name.clone();
        match spawn_blocking(move || folder.read_now(&asked)).await {
            Ok(Ok(bytes)) => Found::File(bytes),
            Ok(Err(error)) if is_nothing(&error) => Found::Nothing,
            Ok(Err(error)) => {
                tracing::warn!(file = %name, %error, "a file in the folder cannot be served");
                Found::Unreadable
            }
            Err(error) => {
                tracing::error!(file = %name, %error, "reading a file failed");
                Found::Unreadable
            }
        }
    }

    fn read_now(&self, name: &FileName) -> io::Result<Arc<[u8]>> {
        let refuse = |reason| Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        let path = self.path.join(name.as_str()).canonicalize()?;
        if !path.starts_with(&self.path) {
            return refuse("a link leads out of the folder");
        }
        let about = fs::metadata(&path)?;
        if !about.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if about.len() > MOST_BYTES {
            return refuse("larger than 64 MiB");
        }
        let modified = about.modified().ok();
        if let Some(bytes) = self.shared(name, modified, about.len()) {
            return Ok(bytes);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default());
        // It may grow meanwhile.
        File::open(&path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|_, shared| shared.bytes.strong_count() > 0);
        shared.insert(name.clone(), Shared { bytes: Arc::downgrade(&bytes), modified });
        Ok(bytes)
    }

    fn shared(&self, name: &FileName, modified: Option<SystemTime>, length: u64) -> Option<Arc<[u8]>> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shared.get(name).filter(|known| modified.is_some() && known.modified == modified)?;
        known.bytes.upgrade().filter(|bytes| bytes.len() as u64 == length)
    }

    async fn rings(self: &Arc<Self>) -> Vec<String> {
        let folder = Arc::clone(self);
        let list = move || {
            let Ok(entries) = fs::read_dir(&folder.path) else { return Vec::new() };
            let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let mut rings: Vec<_> = names.filter(|name| is_ring(name)).take(MOST_RINGS).collect();
            rings.sort();
            rings
        };
        spawn_blocking(list).await.unwrap_or_default()
    }
}

/// A name that leads nowhere, also by way of a file that is no folder.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(text: &str) -> FileName {
        FileName::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("secret"), "secret").unwrap();
        let folder = Folder::open(&top.path().join("files")).unwrap();
        fs::create_dir(folder.path.join("Germany")).unwrap();
        fs::write(folder.path.join("Germany/g3-tones.xml"), "<tones/>").unwrap();
        symlink("../secret", folder.path.join("out")).unwrap();
        symlink("/etc", folder.path.join("etc")).unwrap();
        symlink("Germany/g3-tones.xml", folder.path.join("in")).unwrap();

        assert_eq!(&*folder.read_now(&name("Germany/g3-tones.xml")).unwrap(), b"<tones/>");
        assert_eq!(&*folder.read_now(&name("in")).unwrap(), b"<tones/>");
        for outside in ["out", "etc/passwd"] {
            let error = folder.read_now(&name(outside)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{outside}");
        }
        for nothing in ["Germany", "nothing", "Germany/g3-tones.xml/x", "etc"] {
            let error = folder.read_now(&name(nothing)).unwrap_err();
            assert!(is_nothing(&error) || nothing == "etc", "{nothing}: {error}");
        }
    }

    #[test]
    fn phones_share_the_bytes_until_the_file_changes() {
        let top = tempfile::tempdir().unwrap();
        let folder = Folder::open(top.path()).unwrap();
        fs::write(top.path().join("load.sbn"), [1; 1000]).unwrap();
        let first = folder.read_now(&name("load.sbn")).unwrap();
        assert!(Arc::ptr_eq(&first, &folder.read_now(&name("load.sbn")).unwrap()));
        fs::write(top.path().join("load.sbn"), [2; 1001]).unwrap();
        assert_eq!(*folder.read_now(&name("load.sbn")).unwrap(), [2; 1001]);
    }
}
