//! How to start a manager.

use std::path::{Path, PathBuf};

use selsius_sip::Tap;
use selsius_site::AutoRegistration;

use crate::config::Config;

/// How to start a manager in this process.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where database, admin socket and files live; made if it is missing.
    pub data_dir: PathBuf,
    /// How this node runs. Its own `data_dir` is not looked at.
    pub config: Config,
    /// A site file to apply before phones may connect: its name, for messages, and its text.
    pub site: Option<(String, String)>,
    /// Numbers for unknown phones in place of those that the site says, as long as this manager runs; not stored.
    pub auto_register: Option<AutoRegistration>,
    /// Hears the SIP of trunks that comes and goes by datagram.
    pub sip_tap: Option<Tap>,
}

impl Options {
    /// All defaults, in this data directory.
    pub fn new(data_dir: impl AsRef<Path>) -> Self {
        Self {
            data_dir: data_dir.as_ref().into(),
            config: Config::default(),
            site: None,
            auto_register: None,
            sip_tap: None,
        }
    }

    /// On loopback with free ports: for tests and demonstrations beside a manager that runs.
    pub fn loopback(data_dir: impl AsRef<Path>) -> Self {
        let mut options = Self::new(data_dir);
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        options.config.sccp = vec![any];
        options.config.tftp = any;
        options.config.http = any;
        options
    }
}
