//! A whole manager in this process.

use std::{
    collections::BTreeMap,
    fs,
    future::pending,
    hash::{BuildHasher, RandomState},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use selsius_exchange::{
    Config as ExchangeConfig, Rate,
    record::{CallId, Record},
};
use selsius_provision::tftp;
use selsius_site::{AutoRegistration, Site, SiteFile, TrunkKind, diff};
use selsius_store::{Opened, Recorder, Retention, Store, StoreError};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{Mutex, Semaphore},
    sync::{oneshot, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Options, ServeError,
    admin::{self, Admin},
    api::{Addresses, Health},
    config::{
        Config, ConfigChange, LimitsConfig, MediaAddresses, RecordsConfig, SCCP_PORT, TFTP_PORT,
        TFTP_UNPRIVILEGED_PORT,
    },
    core::{self, Anchoring, Command, Handle, Limits, Running},
    files::{Files, Folder},
    http, media, net,
    observe::{Bound, Observatory, Observed},
    office::{self, ChangeError, Edit, Mode, Office, Unmentioned},
    recordings,
    services::{self, Services},
    sip,
    tftp::Tftp,
    voice,
};

/// The admin socket's name in the data directory.
pub const ADMIN_SOCKET: &str = "admin.sock";
/// The folder of music on hold in the data directory.
const MUSIC: &str = "music";
/// The folder of recorded calls in the data directory.
const RECORDINGS: &str = "recordings";
/// How long calls and connections may take to end in order.
const STOP: Duration = Duration::from_secs(5);
/// Admin requests at a time.
const ADMIN_CONNECTIONS: usize = 32;
/// How many of them may watch something; the others stay free for who has something to do.
const WATCHERS: usize = 16;

/// A manager that runs: everything listens. Dropping it ends it without waiting; [`Server::stop`] waits.
///
/// ```
/// use selsius_server::{Options, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let server = Server::start(Options::loopback(folder.path())).await?;
/// assert!(server.addresses().sccp[0].port() > 0);
/// server.stop().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    addresses: Addresses,
    notices: Vec<Notice>,
    config: Config,
    observed: Observed,
    observatory: Observatory,
    /// Cancelled when the exchange's thread has ended.
    ended: CancellationToken,
    /// TFTP, HTTP and the admin API; they end with it.
    tasks: JoinSet<()>,
    /// Told when the voice applications have kept what was being recorded, after the end of the exchange.
    voice_finished: oneshot::Receiver<()>,
    /// Ends when all recordings are complete, after the end of the exchange and of the media thread.
    recorder_ended: oneshot::Receiver<()>,
}

/// Something that whoever started the manager should read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// TFTP has another port than the one that phones ask.
    TftpPort {
        /// The port that it has.
        port: u16,
    },
    /// The site has no phones and gives out no numbers.
    EmptySite,
    /// Unknown phones get these numbers, as long as this manager runs.
    AutoRegister(AutoRegistration),
    /// Calls that were up when the last manager crashed; their records say so.
    Interrupted(u64),
    /// What a site file changed at the start.
    SiteApplied {
        /// How many changes.
        changes: usize,
    },
}

impl Server {
    /// Opens the store, applies the site file if there is one, and listens. Needs a tokio runtime, in which it goes
    /// on.
    ///
    /// # Errors
    /// What is in the way, see [`ServeError`]; then nothing runs and nothing but an applied site file is left.
    pub async fn start(options: Options) -> Result<Self, ServeError> {
        let opened = Store::open(&options.data_dir).await?;
        let store = opened.store.clone();
        let started = Self::open(opened, options).await;
        if started.is_err() {
            // Lets the data directory go. Nothing was recorded; the error that matters is the first.
            let _ = store.close().await;
        }
        started
    }

    async fn open(opened: Opened, options: Options) -> Result<Self, ServeError> {
        let Opened { store, interrupted, first_call } = opened;
        let Options { data_dir, config, site: file, auto_register, sip_tap } = options;
        let mut notices = Vec::new();
        if interrupted > 0 {
            notices.push(Notice::Interrupted(interrupted));
        }
        let site = site(&store, file, auto_register.as_ref(), &mut notices).await?;
        store.keep(retention(&config.records));
        let sockets = Sockets::bind(&config, &data_dir)?;
        admin::sweep(&data_dir);
        if config.tftp.port() == TFTP_PORT && sockets.tftp.address().port() != TFTP_PORT {
            notices.push(Notice::TftpPort { port: sockets.tftp.address().port() });
        }

        let ended = CancellationToken::new();
        let sink = Sink { recorder: store.recorder(), _alive: ended.clone().drop_guard() };
        let (media, media_ended) =
            media::start(media::Start { ports: config.media.ports, tos: config.dscp.media.tos() })
                .map_err(ServeError::Media)?;
        let start = core::Start {
            listen: config.sccp.iter().copied().map(net::reachable).collect(),
            dscp: config.dscp.signalling.code(),
            exchange: exchange_config(&config, first_call, sockets.http_address.port()),
            site: site.clone(),
            remembered: store.remembered().await?,
            limits: socket_limits(&config.limits),
        };
        let started = core::start(start, Box::new(move |record| sink.record(record)));
        let Running { handle, addresses: sccp, thread: _ } = started.inspect_err(|_| {
            remove_socket(&sockets.admin_path);
            end(&media);
        })?;
        let recordings = recordings::Folder::new(data_dir.join(RECORDINGS));
        let begun = recordings::start(recordings.clone(), handle.clone()).map_err(ServeError::Media);
        let (recorder, recorder_ended) = begun.inspect_err(|_| {
            remove_socket(&sockets.admin_path);
            end(&media);
        })?;
        let shortfall = recorder.shortfall();
        connect(&handle, &media, recorder, &config).await;
        let (names, music) = watch::channel(BTreeMap::new());
        let (applications, voice) =
            voice::start(&data_dir, handle.clone(), media.clone(), music, &config).await;

        let Sockets { tftp, http, http_address, metrics, admin, admin_path, folder } = sockets;
        let addresses = Addresses {
            sccp,
            tftp: tftp.address(),
            http: http_address,
            admin: admin_path,
            advertise: config.advertise,
        };
        let (trunks, far_end, shared) = sip::Trunks::new(config.sip.clone(), sip_tap, handle.clone());
        handle.deliver(Command::FarEnd(TrunkKind::Sip, far_end)).await;
        let observed = Observed::new(handle.clone(), media.clone(), store.clone(), shared, shortfall);
        let office = Arc::new(Office::new(store.clone(), handle.clone(), site, auto_register));
        let trunks = trunks.run(office.follow());
        let tidies = recordings::tidy(office.follow(), recordings.clone());
        let commands = match config.media.commands {
            true => media::Commands::Run,
            false => media::Commands::Refused,
        };
        let music = data_dir.join(MUSIC);
        let sounds = media::follow(office.follow(), music, commands, media, handle.clone(), names);
        let files = Arc::new(Files {
            office: Arc::clone(&office),
            folder: Arc::new(folder),
            advertise: config.advertise,
            sccp_port: addresses.sccp.first().map_or(SCCP_PORT, |address| address.port()),
            signalling_tos: config.dscp.signalling.tos(),
            http_port: http_address.port(),
        });
        let services = Arc::new(Services::new(
            Arc::clone(&office),
            handle.clone(),
            store.clone(),
            config.advertise,
            http_address.port(),
        ));
        let pages = http::files(Arc::clone(&files)).merge(services::router(services));
        let api = admin::router(Admin {
            office,
            observed: observed.clone(),
            exchange: handle.clone(),
            voice: applications,
            store: store.clone(),
            recordings,
            started: Timestamp::now(),
            addresses: addresses.clone(),
            copies: Mutex::new(data_dir),
            watchers: Arc::new(Semaphore::new(WATCHERS)),
        });
        let mut tasks = JoinSet::new();
        let mut observatory = Observatory::default();
        observatory.answer(metrics, &observed, &mut tasks);
        tasks.spawn(observed.keep_an_eye_on("TFTP", tftp.run(files, tftp_limits(&config.limits))));
        let (most, longest) = (config.limits.http_connections, Some(http::LONGEST));
        tasks.spawn(observed.keep_an_eye_on("HTTP", http::serve(http, pages, most, longest)));
        tasks.spawn(observed.keep_an_eye_on("music", sounds));
        tasks.spawn(observed.keep_an_eye_on("SIP trunks", trunks));
        tasks.spawn(observed.keep_an_eye_on("deletion of old recordings", tidies));
        // Who watches does so for days.
        let media_ended = async { drop(media_ended.await) };
        tasks.spawn(observed.keep_an_eye_on("conference audio", media_ended));
        let serves = http::serve(admin, api, ADMIN_CONNECTIONS, None);
        tasks.spawn(observed.keep_an_eye_on("administration", serves));
        let (finished, voice_finished) = oneshot::channel();
        let voice = async move {
            voice.await;
            // Nobody waits for it but an end in order, which is no failure.
            let _ = finished.send(());
            pending().await
        };
        tasks.spawn(observed.keep_an_eye_on("voice applications", voice));
        Ok(Self {
            addresses,
            notices,
            config,
            observed,
            observatory,
            ended,
            tasks,
            voice_finished,
            recorder_ended,
        })
    }

    /// Where it can be reached.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// What whoever started it should read.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The way to its exchange.
    pub fn exchange(&self) -> &Handle {
        &self.observed.exchange
    }

    /// The way to its media thread.
    pub fn media(&self) -> &media::Handle {
        &self.observed.media
    }

    /// What it remembers.
    pub fn store(&self) -> &Store {
        &self.observed.store
    }

    #[cfg(test)]
    pub(crate) fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Where `/metrics` and `/health` are, if they are served.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.observatory.address()
    }

    /// Is it well? Takes a second when the exchange does not answer.
    pub async fn health(&self) -> Health {
        self.observed.health().await
    }

    /// Takes over a new configuration as far as a running manager can; says which of its keys that were. The rest holds
    /// from the next start on. Calls and connections stay, though they be more than new limits allow.
    ///
    /// # Errors
    /// If figures cannot be served where they shall be now. Then nothing has changed.
    pub async fn reload(&mut self, config: Config) -> Result<ConfigChange, ServeError> {
        let change = self.config.change_to(&config);
        let listen = config.metrics.listen;
        if !self.observatory.is_at(listen) {
            let bound = listen.map(Bound::at).transpose()?;
            self.observatory.answer(bound, &self.observed, &mut self.tasks);
        }
        self.observed.store.keep(retention(&config.records));
        let (sockets, exchange) = (socket_limits(&config.limits), exchange_limits(&config.limits));
        self.observed.exchange.deliver(Command::Limits(sockets.into(), exchange.into())).await;
        self.config = config;
        Ok(change)
    }

    /// Takes no new calls but emergency calls, and waits until those that are in progress have ended, or `grace` is over.
    /// [`Self::stop`] comes next.
    pub async fn drain(&self, grace: Duration) {
        self.observed.exchange.deliver(Command::Drain(grace)).await;
        self.ended().await;
    }

    /// Waits until the exchange has ended by itself, which is a failure that the log tells.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Ends calls and connections in order and writes what is to be remembered.
    ///
    /// # Errors
    /// If something that is to be remembered could not be written.
    pub async fn stop(mut self) -> Result<(), StoreError> {
        self.observed.exchange.deliver(Command::Stop).await;
        if timeout(STOP, self.ended()).await.is_err() {
            tracing::error!("the exchange does not end");
        }
        if timeout(STOP, &mut self.voice_finished).await.is_err() {
            tracing::error!("the voice applications do not end");
        }
        self.tasks.shutdown().await;
        end(&self.observed.media);
        if timeout(STOP, &mut self.recorder_ended).await.is_err() {
            tracing::error!("the recordings are not completed; the next start does that");
        }
        self.observed.store.clone().close().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when it has ended already.
        let _ = self.observed.exchange.send(Command::Stop);
        end(&self.observed.media);
        remove_socket(&self.addresses.admin);
    }
}

/// The site to run: the stored one, after the file was applied to it.
async fn site(
    store: &Store,
    file: Option<(String, String)>,
    auto_register: Option<&AutoRegistration>,
    notices: &mut Vec<Notice>,
) -> Result<Site, ServeError> {
    if let Some((name, text)) = file {
        let file = SiteFile::parse(name, text)?;
        let edit = Edit::File { file: &file, unmentioned: Unmentioned::Stays };
        let saved = office::save(store, &edit, Mode::Apply, auto_register).await;
        let (old, new) = saved.map_err(unstarted)?;
        notices.push(Notice::SiteApplied { changes: diff(&old, &new).len() });
    }
    let stored = store.load_site().await?.site;
    if let Some(range) = auto_register {
        office::fits(&stored, range).map_err(ServeError::AutoRegister)?;
        notices.push(Notice::AutoRegister(range.clone()));
    }
    let site = office::running(stored, auto_register);
    if site.devices.is_empty() && site.settings.auto_registration.is_none() {
        notices.push(Notice::EmptySite);
    }
    Ok(site)
}

/// Everything that listens, besides the phones' sockets.
struct Sockets {
    tftp: Tftp,
    http: TcpListener,
    http_address: SocketAddr,
    metrics: Option<Bound>,
    /// Last of all: from here on something is to be removed if the start fails.
    admin: UnixListener,
    admin_path: PathBuf,
    folder: Folder,
}

impl Sockets {
    fn bind(config: &Config, data_dir: &Path) -> Result<Self, ServeError> {
        let path = config.files(data_dir);
        let folder = Folder::open(&path).map_err(|source| ServeError::Files { path, source })?;
        let tftp = bind_tftp(net::reachable(config.tftp))?;
        let address = net::reachable(config.http);
        let fail = |source| ServeError::Listen { protocol: "HTTP", address, source };
        let http = net::tcp(address).and_then(TcpListener::from_std).map_err(fail)?;
        let http_address = http.local_addr().map_err(fail)?;
        let metrics = config.metrics.listen.map(Bound::at).transpose()?;
        // The command line may be in another directory.
        let admin_path =
            std::path::absolute(data_dir.join(ADMIN_SOCKET)).unwrap_or(data_dir.join(ADMIN_SOCKET));
        let admin = admin::bind(&admin_path)?;
        Ok(Self { tftp, http, http_address, metrics, admin, admin_path, folder })
    }
}

/// Takes the exchange's records, and goes with its thread.
struct Sink {
    recorder: Recorder,
    _alive: DropGuard,
}

impl Sink {
    /// What gives way when the queue is full is the store's business, and counted there.
    fn record(&self, record: Record) -> bool {
        self.recorder.record(record);
        true
    }
}

/// A change that fails before anything runs.
fn unstarted(error: ChangeError) -> ServeError {
    match error {
        ChangeError::File(error) => error.into(),
        ChangeError::Store(error) => error.into(),
        ChangeError::AutoRegister { fault, .. } => ServeError::AutoRegister(fault),
        error => ServeError::SiteFile(error.to_string()),
    }
}

/// Without the right to bind port 69, the port that is known to stand for it.
fn bind_tftp(address: SocketAddr) -> Result<Tftp, ServeError> {
    let fail = |address| move |source| ServeError::Listen { protocol: "TFTP", address, source };
    match Tftp::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && address.port() == TFTP_PORT => {
            let mut instead = address;
            instead.set_port(TFTP_UNPRIVILEGED_PORT);
            Tftp::bind(instead).map_err(fail(instead))
        }
        result => result.map_err(fail(address)),
    }
}

/// Lets the exchange and the media thread know each other.
async fn connect(exchange: &Handle, media: &media::Handle, recorder: recordings::Recorder, config: &Config) {
    // Both queues are empty yet.
    let _ = media.send(media::Order::Exchange(exchange.clone()));
    let anchoring = Anchoring {
        media: media.clone(),
        address: config.media.address,
        learning: config.learning(),
        recorder,
    };
    exchange.deliver(Command::Media(anchoring)).await;
}

/// Ends the media thread. It has nothing to finish.
fn end(media: &media::Handle) {
    // Fails when it has ended already.
    let _ = media.send(media::Order::End);
}

fn remove_socket(path: &Path) {
    // What is left of it is removed at the next start.
    let _ = fs::remove_file(path);
}

fn exchange_config(config: &Config, first_call: CallId, http_port: u16) -> ExchangeConfig {
    let (limits, media_dscp) = (&config.limits, config.dscp.media.code());
    let media_addresses = match config.security.media_addresses {
        MediaAddresses::Own => selsius_exchange::MediaAddresses::Own,
        MediaAddresses::Any => selsius_exchange::MediaAddresses::Any,
    };
    let mut config =
        ExchangeConfig { first_call, media_dscp, http_port, media_addresses, ..ExchangeConfig::default() };
    config.limits = exchange_limits(limits);
    // A phone that outlived the last manager must not take a new call for the one that it remembers: begin somewhere
    // else each time. The keys of std's hasher are random.
    config.first_reference = RandomState::new().hash_one(first_call.0) as u32 | 1;
    config
}

fn exchange_limits(limits: &LimitsConfig) -> selsius_exchange::Limits {
    selsius_exchange::Limits {
        register_within: Duration::from_secs(limits.register_within as u64),
        unknown_names: Rate::per_minute(bounded(limits.unknown_names_per_minute)),
        screen: limits.screen_bytes,
        legs_per_device: limits.legs_per_device,
        digits: limits.digits,
        ..selsius_exchange::Limits::default()
    }
}

fn retention(records: &RecordsConfig) -> Retention {
    // Both are bounded by the configuration's reader.
    let days = u32::try_from(records.keep_days).ok().filter(|&days| days > 0);
    Retention { days, calls: Some(records.keep_calls as u64).filter(|&calls| calls > 0) }
}

fn socket_limits(limits: &LimitsConfig) -> Limits {
    Limits {
        connections: limits.connections,
        unregistered: limits.unregistered,
        unregistered_per_address: limits.unregistered_per_address,
        connection_rate: core::connection_rate(bounded(limits.connections_per_second)),
        message_rate: Rate::per_second(bounded(limits.messages_per_second), bounded(limits.messages_at_once)),
        late: Duration::from_millis(limits.late_ms as u64),
        unread: limits.unread_bytes,
        unread_in_all: limits.unread_in_all_mib << 20,
        ..Limits::default()
    }
}

/// A number that the configuration's reader has bounded by far less.
fn bounded(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn tftp_limits(limits: &LimitsConfig) -> tftp::Limits {
    tftp::Limits {
        transfers: limits.tftp_transfers,
        per_address: limits.tftp_transfers_per_address,
        ..tftp::Limits::default()
    }
}

#[cfg(test)]
mod tests {
    use selsius_exchange::remembered::LineState;
    use selsius_site::LineNumber;

    use super::*;

    #[tokio::test]
    async fn what_failed_to_start_leaves_the_data_directory_free() {
        let top = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        for broken in 0..2 {
            let mut options = Options::loopback(top.path());
            match broken {
                0 => options.config.http = address,
                _ => options.config.sccp = vec![address],
            }
            let error = Server::start(options).await.unwrap_err();
            assert!(error.hint().is_some_and(|hint| hint.contains("stop the program")), "{error}");
        }
        let server = Server::start(Options::loopback(top.path())).await.unwrap();
        assert_eq!(server.notices(), [Notice::EmptySite]);
        let admin = server.addresses().admin.clone();
        assert!(admin.exists());
        server.stop().await.unwrap();
        assert!(!admin.exists());
        Server::start(Options::loopback(top.path())).await.unwrap().stop().await.unwrap();
    }

    #[tokio::test]
    async fn numbers_that_do_not_fit_are_refused_before_anything_runs() {
        let top = tempfile::tempdir().unwrap();
        let emergency = "[lines.1]\n[routes.112]\nlines = [\"1\"]\nemergency = true".into();
        let mut options = Options::loopback(top.path());
        options.site = Some(("office.toml".into(), emergency));
        options.auto_register = Some("100-199".parse().unwrap());
        let error = Server::start(options).await.unwrap_err();
        assert!(matches!(error, ServeError::AutoRegister(_)) && error.to_string().contains("112"), "{error}");
        let server = Server::start(Options::loopback(top.path())).await.unwrap();
        assert_eq!(server.store().load_site().await.unwrap().site, Site::default(), "nothing was applied");
        server.stop().await.unwrap();
    }

    #[tokio::test]
    async fn what_a_line_remembers_runs_again_after_a_restart_and_after_a_restore() {
        let top = tempfile::tempdir().unwrap();
        let line = |number: &str| number.parse::<LineNumber>().unwrap();
        let silent = LineState { do_not_disturb: true, ..LineState::default() };
        let record = |number, state| Record::LineState { line: line(number), state };

        let server = Server::start(Options::loopback(top.path())).await.unwrap();
        server.store().recorder().record(record("1001", silent.clone()));
        let backup = top.path().join("backup.db");
        server.store().backup(&backup).await.unwrap();
        server.store().recorder().record(record("1001", LineState::default()));
        server.store().recorder().record(record("1002", silent.clone()));
        server.stop().await.unwrap();

        let server = Server::start(Options::loopback(top.path())).await.unwrap();
        let runs = async || server.exchange().ask(Command::Remembered).await.unwrap().lines;
        assert_eq!(runs().await, [(line("1002"), silent.clone())].into());
        let (store, exchange) = (server.store().clone(), server.exchange().clone());
        Office::new(store, exchange, Site::default(), None).restore(&backup).await.unwrap();
        assert_eq!(runs().await, [(line("1001"), silent)].into());
        server.stop().await.unwrap();
    }
}
