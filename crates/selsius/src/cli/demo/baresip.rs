//! baresip as the telephone company, where SIPp is not installed: one process a call. Called, it says back what it hears (by its
//! `aubridge`); calling, it says a tone of its own, since its bridge stays silent in calls that it makes (version 1.0).

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::Context;
use selsius_media::{
    Level,
    tone::{Sine, Sound, Tone, ToneGenerator},
};

use super::outside::{Running, free_port, is_installed, listening, start};

/// Where distributions put its modules; without a path in its configuration it finds none.
const MODULES: [&str; 4] = [
    "/usr/lib/baresip/modules",
    "/usr/lib/x86_64-linux-gnu/baresip/modules",
    "/usr/lib/aarch64-linux-gnu/baresip/modules",
    "/usr/local/lib/baresip/modules",
];

/// What it says in calls that it makes, as a sine of so many Hz.
pub(super) const VOICE: u16 = 600;

/// Where it listens, and its modules.
#[derive(Debug, Clone)]
pub(super) struct Baresip {
    pub(super) address: SocketAddr,
    modules: PathBuf,
}

impl Baresip {
    /// If it is installed, on a port that nobody has now.
    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        let modules = MODULES.iter().map(PathBuf::from).find(|path| path.join("aubridge.so").exists());
        let Some(modules) = modules.filter(|_| is_installed("baresip", "-h")) else { return Ok(None) };
        Ok(Some(Self { address: (Ipv4Addr::LOCALHOST, free_port()?).into(), modules }))
    }

    /// Waits for a call, and answers it at once.
    pub(super) async fn answers(&self, folder: &Path, number: &str) -> anyhow::Result<Running> {
        let mut running = self.start(folder, number, "aubridge,echo", &[])?;
        listening(&mut running, self.address).await?;
        Ok(running)
    }

    /// Calls a number of the manager's.
    pub(super) fn calls(
        &self,
        folder: &Path,
        manager: SocketAddr,
        (name, number): (&str, &str),
        called: &str,
    ) -> anyhow::Result<Running> {
        let dial = format!("/dial sip:{called}@{manager}");
        let sound = folder.join("voice.wav");
        voice(&sound).context("cannot write baresip's voice")?;
        let source = format!("aufile,{}", sound.display());
        self.start(folder, &format!("\"{name}\" {number}"), &source, &["-e", &dial])
    }

    fn start(&self, folder: &Path, who: &str, source: &str, arguments: &[&str]) -> anyhow::Result<Running> {
        let folder = folder.join("baresip");
        let (address, modules) = (self.address, self.modules.display());
        let config = format!(
            "sip_listen {address}\nnet_interface 127.0.0.1\naudio_player aubridge,echo\naudio_source {source}\n\
             audio_alert aubridge,alert\nmodule_path {modules}\nmodule g711.so\nmodule aubridge.so\nmodule aufile.so\n\
             module_app account.so\nmodule_app menu.so\n"
        );
        let (name, number) = who.rsplit_once(' ').unwrap_or(("", who));
        let account = format!("{name}<sip:{number}@127.0.0.1>;regint=0;answermode=auto\n");
        let write = || {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join("config"), config)?;
            std::fs::write(folder.join("accounts"), account)
        };
        write().context("cannot write baresip's configuration")?;
        let folder = folder.to_string_lossy();
        start("baresip", &[&["-4", "-f", &folder, "-t", "60"], arguments].concat(), Path::new(&*folder))
    }
}

/// Writes what it says, for longer than any call here.
fn voice(path: &Path) -> Result<(), hound::Error> {
    let (channels, sample_rate, bits_per_sample) = (1, 8_000, 16);
    let spec =
        hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format: hound::SampleFormat::Int };
    let mut samples = vec![0; 30 * 8_000];
    let sine = Sound::Single(Sine::new(VOICE, Level::dbm0(-10.0)));
    ToneGenerator::new(Tone::continuous(sine)).fill(&mut samples);
    let mut writer = hound::WavWriter::create(path, spec)?;
    for sample in samples {
        writer.write_sample(sample)?;
    }
    writer.finalize()
}
