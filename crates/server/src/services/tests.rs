//! Pages as a phone fetches them, from a manager with an exchange and a store of its own.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use selsius_exchange::{
    Config,
    record::{CallEnded, CallId, EndCause, Party, Record},
};
use selsius_phone_xml::{Kind, Mark, Shown};
use selsius_site::{Button, Contact, Line, Secret, ServiceItem, User};
use selsius_wire::{
    DeviceType, Dialect, Features, Framer, ManagerMessage, StationMessage, Text as WireText, message,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::spawn_blocking};

use super::*;
use crate::{
    core::{self, Command, Limits, Running, Start},
    files::{Files, Folder},
    http,
};

const PATIENCE: Duration = Duration::from_secs(20);
const PHONE: &str = "SEP020000001001";
const OTHER: &str = "SEP020000001002";

/// A manager whose pages are served.
struct Manager {
    _folder: TempDir,
    running: Running,
    store: Store,
    http: SocketAddr,
    sccp: SocketAddr,
}

fn number(text: &str) -> LineNumber {
    text.parse().unwrap()
}

fn office() -> Site {
    let mut site = Site::default();
    site.settings.name = "Smith & Sons".into();
    site.settings.time_zone = Some("Europe/Berlin".into());
    for (line, name) in [("1001", "Alice <1>"), ("1002", "Bob"), ("1003", "Zoë & Co.")] {
        site.lines.insert(number(line), Line { name: name.into(), ..Line::default() });
    }
    for (name, line) in [(PHONE, "1001"), (OTHER, "1002")] {
        let button = Button::Line { number: number(line), label: String::new() };
        let device = Device { buttons: vec![button], ..Device::default() };
        site.devices.insert(name.parse().unwrap(), device);
    }
    site
}

async fn manager(site: Site) -> Manager {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("data")).await.unwrap().store;
    let start = Start {
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        dscp: 0,
        exchange: Config::default(),
        site: site.clone(),
        remembered: selsius_store::Remembered::default(),
        limits: Limits::default(),
    };
    let recorder = store.recorder();
    let running = core::start(
        start,
        Box::new(move |record| {
            recorder.record(record);
            true
        }),
    )
    .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (http, sccp) = (listener.local_addr().unwrap(), running.addresses[0]);
    let office = Arc::new(Office::new(store.clone(), running.handle.clone(), site, None));
    let files = Arc::new(Files {
        office: Arc::clone(&office),
        folder: Arc::new(Folder::open(&folder.path().join("files")).unwrap()),
        advertise: None,
        sccp_port: sccp.port(),
        signalling_tos: 96,
        http_port: http.port(),
    });
    std::fs::create_dir_all(folder.path().join("files/Desktops/320x212x12")).unwrap();
    let list = "<CiscoIPPhoneImageList/>";
    std::fs::write(folder.path().join("files/Desktops/320x212x12/List.xml"), list).unwrap();
    std::fs::write(folder.path().join("files/Bell.raw"), [0; 100]).unwrap();
    let services = Services::new(office, running.handle.clone(), store.clone(), None, http.port());
    let app = http::files(files).merge(router(Arc::new(services)));
    tokio::spawn(http::serve(listener, app, 10, None));
    Manager { _folder: folder, running, store, http, sccp }
}

/// An answer.
#[derive(Debug)]
struct Got {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn shown(&self) -> Shown {
        Shown::read(&self.body).unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(&self.body)))
    }
}

impl Manager {
    /// What a phone gets, with headers that phones send.
    async fn get(&self, path: &str) -> Got {
        let (http, path) = (self.http, path.to_owned());
        spawn_blocking(move || {
            let mut stream = TcpStream::connect(http).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nAccept-Language: xx;q=nonsense\r\n\
                 x-CiscoIPPhoneModelName: CP-\"><7960\r\nAccept: x-CiscoIPPhone/*;version=3.2\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
            let head = String::from_utf8(all[..end].to_vec()).unwrap().to_lowercase();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            Got { status, head, body: all[end + 4..].to_vec() }
        })
        .await
        .unwrap()
    }

    /// What a phone gets at an address out of a page.
    async fn follow(&self, url: &str) -> Got {
        let path = url.strip_prefix(&format!("http://{}", self.http)).unwrap_or_else(|| panic!("{url}"));
        self.get(path).await
    }

    /// A phone that is registered, from loopback; it lives as long as what this gives.
    async fn phone(&self, name: &'static str, features: Features) -> TcpStream {
        // A 7911, which has no icons.
        self.phone_as(name, features, 307).await
    }

    /// The same, of another model.
    async fn phone_as(&self, name: &'static str, features: Features, device_type: u32) -> TcpStream {
        let sccp = self.sccp;
        spawn_blocking(move || {
            let mut stream = TcpStream::connect(sccp).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let register = message::Register {
                device_name: WireText::new(name.as_bytes()),
                device_type: DeviceType::from(device_type),
                protocol_ver: 17,
                features,
                ..message::Register::default()
            };
            say(&mut stream, register);
            let mut framer = Framer::new();
            let mut buffer = [0; 1024];
            loop {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "refused");
                framer.feed(&buffer[..read]);
                while let Some(frame) = framer.next().unwrap() {
                    let message =
                        ManagerMessage::decode(frame, Dialect::default().context()).unwrap().message;
                    if matches!(message, ManagerMessage::RegisterAck(_)) {
                        return stream;
                    }
                }
            }
        })
        .await
        .unwrap()
    }

    /// A call that is over, from the store's view.
    fn call(&self, id: u64, calling: (&str, &str), dialed: &str, called: (&str, &str), answered: bool) {
        let party = |(number, name): (&str, &str)| Party {
            number: number.into(),
            name: name.into(),
            ..Party::default()
        };
        let at = selsius_exchange::record::WallTime(1_600_000_000_000_000 + id as i64 * 1_000_000);
        self.store.recorder().record(Record::CallEnded(Box::new(CallEnded {
            call: CallId(id),
            calling: party(calling),
            dialed: dialed.into(),
            called: party(called),
            started: at,
            ringing: Some(at),
            answered: answered.then_some(at),
            ended: at,
            cause: EndCause::CallerHungUp,
            codec: String::new(),
            redirections: Vec::new(),
            account: String::new(),
            trunk: String::new(),
            recordings: Vec::new(),
        })));
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.running.handle.send(Command::Stop);
    }
}

fn say(stream: &mut TcpStream, message: impl Into<StationMessage>) {
    let mut bytes = Vec::new();
    Dialect::default().encode_station(&message.into(), &mut bytes);
    stream.write_all(&bytes).unwrap();
}

fn names(shown: &Shown) -> Vec<&str> {
    shown.items.iter().map(|item| item.name.as_str()).collect()
}

#[tokio::test]
async fn a_phone_finds_its_way_from_its_file_to_a_number() {
    let manager = manager(office()).await;
    let config = manager.get(&format!("/{PHONE}.cnf.xml")).await;
    let config = String::from_utf8(config.body).unwrap();
    let (_, rest) = config.split_once("<directoryURL>").unwrap();
    let (url, _) = rest.split_once("</directoryURL>").unwrap();
    let menu = manager.follow(url).await;
    assert_eq!(menu.status, 200);
    assert!(menu.head.contains("content-type: text/xml; charset=iso-8859-1"), "{}", menu.head);
    let menu = menu.shown();
    assert_eq!(names(&menu), ["Corporate directory", "Missed calls", "Received calls", "Placed calls"]);
    let form = manager.follow(&menu.items[0].url).await.shown();
    assert_eq!((form.kind, names(&form)), (Kind::Input, vec!["Name", "Number"]));
    let parameters: Vec<_> = form.items.iter().map(|item| item.url.as_str()).collect();
    assert_eq!(parameters, ["name", "number"]);

    // As a phone fills it in: both fields, in its code page.
    let found = manager.get(&format!("/directory?device={PHONE}&name=zo%EB&number=")).await;
    assert!(
        found.body.windows(2).any(|pair| pair == b"o\xEB"),
        "ISO 8859-1 for a phone that said nothing of UTF-8"
    );
    let found = found.shown();
    assert_eq!(found.kind, Kind::Directory);
    assert_eq!((found.items[0].name.as_str(), found.items[0].url.as_str()), ("Zoë & Co. (away)", "1003"));
    let nobody = manager.get(&format!("/directory?device={PHONE}&name=x%26%3C%22")).await;
    assert_eq!(nobody.shown().text, "Nobody found");
    // Whoever does not say which phone it is gets what concerns no phone.
    assert_eq!(names(&manager.get("/directories").await.shown()), ["Corporate directory"]);
    assert_eq!(names(&manager.get("/directories?device=%22%3E%3Cx").await.shown()), ["Corporate directory"]);
}

#[tokio::test]
async fn long_lists_have_pages() {
    let mut site = office();
    for at in 0..70 {
        site.lines
            .insert(number(&format!("2{at:03}")), Line { name: format!("Büro {at:02}"), ..Line::default() });
    }
    for at in 0..150 {
        let service = Service { url: format!("http://192.0.2.1/?a={at}&b=<>"), ..Service::default() };
        site.services.insert(format!("s{at:03}").parse().unwrap(), service);
    }
    let manager = manager(site).await;
    let mut page = manager.get(&format!("/directory?device={PHONE}&name=b%C3%BCro")).await.shown();
    let mut seen = Vec::new();
    loop {
        seen.extend(page.items.iter().map(|item| item.name.clone()));
        let Some(next) = page.keys.iter().find(|key| key.name == "Next") else { break };
        assert_eq!(page.items.len(), 32);
        page = manager.follow(&next.url.clone()).await.shown();
    }
    let expected: Vec<_> = (0..70).map(|at| format!("Büro {at:02} (away)")).collect();
    assert_eq!(seen, expected);
    let back = page.keys.iter().find(|key| key.name == "Back").unwrap().url.clone();
    assert_eq!(manager.follow(&back).await.shown().items[0].name, "Büro 32 (away)");
    let keys: Vec<_> =
        page.keys.iter().map(|key| key.url.as_str()).filter(|url| !url.contains("http")).collect();
    assert_eq!(keys, ["SoftKey:Dial", "SoftKey:EditDial", "SoftKey:Exit"]);

    let menu = manager.get(&format!("/services?device={PHONE}")).await.shown();
    assert_eq!((menu.items.len(), menu.items[7].url.as_str()), (100, "http://192.0.2.1/?a=7&b=<>"));
    let next = menu.keys.iter().find(|key| key.name == "Next").unwrap().url.clone();
    assert_eq!(manager.follow(&next).await.shown().items.len(), 50);
    for far in ["999999", "18446744073709551615", "-1", "x"] {
        assert_eq!(manager.get(&format!("/services?page={far}")).await.status, 200, "{far}");
    }
}

#[tokio::test]
async fn services_are_menus_of_addresses_and_numbers() {
    let mut site = office();
    let item = |name: &str, target| ServiceItem { name: name.into(), target };
    let service = Service {
        title: "Smith & Sons <info>".into(),
        url: String::new(),
        items: vec![
            item("Menü", ItemTarget::Url("http://192.0.2.1/menu?a=1&b=2".into())),
            item("Porter", ItemTarget::Number(number("1002"))),
        ],
    };
    site.services.insert("info".parse().unwrap(), service);
    let manager = manager(site).await;
    let menu = manager.get(&format!("/services?device={PHONE}")).await.shown();
    assert_eq!(names(&menu), ["Smith & Sons <info>"]);
    let info = manager.follow(&menu.items[0].url).await.shown();
    let items: Vec<_> = info.items.iter().map(|item| (item.name.as_str(), item.url.as_str())).collect();
    assert_eq!(items, [("Menü", "http://192.0.2.1/menu?a=1&b=2"), ("Porter", "Dial:1002")]);
    for nothing in ["/services/nothing", "/services/%3Cx%3E", "/services/info/more"] {
        assert_eq!(manager.get(nothing).await.status, 404, "{nothing}");
    }
}

#[tokio::test]
async fn a_phone_sees_its_own_calls_and_nobody_else_s() {
    let manager = manager(office()).await;
    let _phone = manager.phone(PHONE, Features::UTF8).await;
    let alice = ("1001", "Alice <1>");
    manager.call(1, ("1002", "Bob"), "1001", alice, false);
    manager.call(2, ("030123", ""), "1001", alice, true);
    manager.call(3, alice, "0123", ("0123", "Smith & Sons"), true);
    manager.call(4, ("1003", "Zoë & Co."), "1001", alice, false);
    manager.call(5, ("1002", "Bob"), "1003", ("1003", "Zoë & Co."), false);
    manager.store.flush().await.unwrap();
    let list = async |list: &str| {
        let got = manager.get(&format!("/calls/{PHONE}/{list}")).await;
        assert_eq!(got.status, 200, "{list}");
        assert!(got.head.contains("charset=utf-8"), "the phone said that it knows UTF-8");
        let items = got.shown().items;
        items.into_iter().map(|item| format!("{} -> {}", item.name, item.url)).collect::<Vec<_>>()
    };
    let missed = list("missed").await;
    assert_eq!(missed, ["13/09/20 Zoë & Co. (away) -> 1003", "13/09/20 Bob (away) -> 1002"], "newest first");
    assert_eq!(list("received").await, ["13/09/20 030123 -> 030123"]);
    assert_eq!(list("placed").await, ["13/09/20 Smith & Sons -> 0123"]);
    assert_eq!(manager.get(&format!("/calls/{PHONE}/nonsense")).await.status, 404);
    for hidden in
        [format!("/calls/{OTHER}/missed"), "/calls/NOBODY/missed".into(), "/calls/%3C/missed".into()]
    {
        let got = manager.get(&format!("{hidden}?device={PHONE}")).await;
        assert_eq!(
            (got.status, got.shown().items.len()),
            (403, 0),
            "{hidden}: no phone is there at this address"
        );
    }
    let about = manager.get(&format!("/information?device={PHONE}")).await.shown();
    assert_eq!(
        about.text.lines().map(str::trim).collect::<Vec<_>>(),
        [PHONE, "Smith & Sons", "1001 Alice <1>"]
    );
    assert_eq!(manager.get(&format!("/information?device={OTHER}")).await.shown().text, "Not available");
}

#[tokio::test]
async fn the_directory_shows_who_is_free() {
    let manager = manager(office()).await;
    let mut phone = manager.phone(PHONE, Features::default()).await;
    let state = async || {
        let found = manager.get(&format!("/directory?device={PHONE}&number=1001")).await.shown();
        found.items[0].name.clone()
    };
    assert_eq!(state().await, "Alice <1>");
    say(&mut phone, message::OffHook::default());
    let deadline = Instant::now() + PATIENCE;
    while state().await != "Alice <1> (in use)" {
        // What is known may be a second old.
        assert!(Instant::now() < deadline);
    }
}

/// A phone that draws: each item with its icon, in place of words, and what choosing it opens.
fn marked(shown: &Shown) -> Vec<(Mark, &str, &str)> {
    let mark = |item: &selsius_phone_xml::Item| item.icon.as_ref().and_then(Mark::of).unwrap();
    shown.items.iter().map(|item| (mark(item), item.name.as_str(), item.url.as_str())).collect()
}

#[tokio::test]
async fn icons_show_who_is_free_where_the_phone_draws() {
    let mut site = office();
    let mut contact = Contact::default();
    contact.numbers.insert("work".into(), number("030123"));
    site.contacts.insert("Müller & Söhne".into(), contact);
    let manager = manager(site).await;
    let mut phone = manager.phone_as(PHONE, Features::default(), 436).await;
    let _other = manager.phone(OTHER, Features::UTF8).await;
    let everybody = async |device: &str| {
        let got = manager.get(&format!("/directory?device={device}&name=&number=")).await;
        assert_eq!(got.status, 200);
        got
    };
    let deadline = Instant::now() + PATIENCE;
    while !String::from_utf8_lossy(&everybody(PHONE).await.body).contains("<CiscoIPPhoneIconMenu>") {
        assert!(Instant::now() < deadline, "what is known of phones is a second old at most");
    }
    let got = everybody(PHONE).await;
    assert!(got.head.contains("charset=iso-8859-1"), "{}", got.head);
    assert!(got.body.windows(8).any(|part| part == b"M\xFCller &"), "in the phone's code page");
    let shown = got.shown();
    assert_eq!(shown.title, "Corporate directory");
    assert_eq!(
        marked(&shown),
        [
            (Mark::Free, "Alice <1> (1001)", "Dial:1001"),
            (Mark::Free, "Bob (1002)", "Dial:1002"),
            (Mark::Outside, "Müller & Söhne (030123)", "Dial:030123"),
            (Mark::Away, "Zoë & Co. (1003)", "Dial:1003"),
        ]
    );
    let keys: Vec<_> = shown.keys.iter().map(|key| (key.name.as_str(), key.url.as_str())).collect();
    assert_eq!(keys, [("Dial", "SoftKey:Select"), ("Exit", "SoftKey:Exit")]);

    say(&mut phone, message::OffHook::default());
    while marked(&everybody(PHONE).await.shown())[0].0 != Mark::InUse {
        assert!(Instant::now() < deadline);
    }
    // A phone without icons at the same manager, and one that says nothing of itself.
    let words = everybody(OTHER).await.shown();
    assert_eq!((words.kind, words.items[0].url.as_str()), (Kind::Directory, "1001"));
    assert!(words.items.iter().all(|item| item.icon.is_none()));
    assert_eq!(names(&words)[..2], ["Alice <1> (in use)", "Bob"]);
    assert_eq!(manager.get("/directory?name=bob").await.shown().kind, Kind::Directory);
}

#[tokio::test]
async fn call_lists_have_icons_and_pages_where_the_phone_draws() {
    let manager = manager(office()).await;
    // A 7960, which registers with no feature at all.
    let _phone = manager.phone_as(PHONE, Features::default(), 7).await;
    let alice = ("1001", "Alice <1>");
    manager.call(1, ("", ""), "1001", alice, false);
    manager.call(2, ("030123", ""), "1001", alice, false);
    for at in 3..=40 {
        manager.call(at, ("1003", "Zoë & Co."), "1001", alice, false);
    }
    manager.store.flush().await.unwrap();
    let path = format!("/calls/{PHONE}/missed");
    let mut page = manager.get(&path).await.shown();
    let deadline = Instant::now() + PATIENCE;
    while page.kind != Kind::Menu {
        assert!(Instant::now() < deadline);
        page = manager.get(&path).await.shown();
    }
    assert_eq!(page.items.len(), 32, "more items than that a menu with icons may not have");
    assert_eq!(marked(&page)[0], (Mark::Away, "13/09/20 Zoë & Co. (1003)", "Dial:1003"));
    let key =
        |shown: &Shown, name: &str| shown.keys.iter().find(|key| key.name == name).map(|key| key.url.clone());
    let last = manager.follow(&key(&page, "Next").unwrap()).await.shown();
    let [.., (first, name, dial), (nobody, unknown, same)] = marked(&last)[..] else { panic!("{last:?}") };
    assert_eq!((last.items.len(), first, name, dial), (8, Mark::Outside, "13/09/20 030123", "Dial:030123"));
    assert_eq!((nobody, unknown), (Mark::Outside, "13/09/20 Unknown"));
    assert_eq!(manager.follow(same).await.shown(), last, "who gave no number cannot be called back");
    let back = key(&last, "Back").unwrap();
    assert_eq!((manager.follow(&back).await.shown(), key(&last, "Next")), (page, None));
}

#[tokio::test]
async fn pages_are_in_the_phones_language() {
    let mut site = office();
    site.settings.language = Language::German;
    site.devices.get_mut(&PHONE.parse().unwrap()).unwrap().language = Some(Language::French);
    site.devices.get_mut(&PHONE.parse().unwrap()).unwrap().idle_text = "Accueil à gauche & à droite".into();
    let manager = manager(site).await;
    let title = async |path: &str| manager.get(path).await.shown().title;
    assert_eq!(title(&format!("/directories?device={PHONE}")).await, "Répertoires");
    assert_eq!(title(&format!("/directories?device={OTHER}")).await, "Verzeichnisse");
    assert_eq!(title("/directories").await, "Verzeichnisse");
    let idle = manager.get(&format!("/idle?device={PHONE}")).await.shown();
    assert_eq!((idle.title.as_str(), idle.text.as_str()), ("Smith & Sons", "Accueil à gauche & à droite"));
    assert_eq!(manager.get(&format!("/idle?device={OTHER}")).await.status, 404);
}

#[tokio::test]
async fn who_may_push_is_asked_by_phones_only_and_not_for_ever() {
    let mut site = office();
    let user = User { name: "Ann".into(), pin: Secret::new("4711"), ..User::default() };
    site.users.insert("ann".parse().unwrap(), user);
    let manager = manager(site).await;
    let ask = async |name: &str, pin: &str| {
        let path = format!("/authentication?UserID={name}&Password={pin}&devicename={PHONE}");
        String::from_utf8(manager.get(&path).await.body).unwrap()
    };
    assert_eq!(ask("ann", "4711").await, "UN-AUTHORIZED", "no phone is registered at this address");
    let _phone = manager.phone(PHONE, Features::default()).await;
    let deadline = Instant::now() + PATIENCE;
    while ask("ann", "4711").await != "AUTHORIZED" {
        assert!(Instant::now() < deadline);
    }
    for wrong in ["", "471", "0000"] {
        assert_eq!(ask("ann", wrong).await, "UN-AUTHORIZED", "{wrong}");
    }
    assert_eq!(ask("nobody", "4711").await, "UN-AUTHORIZED");
    for pin in 0..WRONG_PINS {
        ask("ann", &format!("{pin:04}")).await;
    }
    assert_eq!(ask("ann", "4711").await, "UN-AUTHORIZED", "somebody is trying them all");
}

#[tokio::test]
async fn lists_of_rings_and_backgrounds_are_files() {
    let manager = manager(office()).await;
    let rings = manager.get("/Ringlist.xml").await;
    assert!(String::from_utf8(rings.body).unwrap().contains("<FileName>Bell.raw</FileName>"));
    let list = manager.get("/Desktops/320x212x12/List.xml").await;
    assert_eq!((list.status, list.body), (200, b"<CiscoIPPhoneImageList/>".to_vec()));
    assert_eq!(manager.get("/Desktops/96x34x1/List.xml").await.status, 404);
    // Contacts are not only lines.
    let mut site = office();
    let mut contact = Contact::default();
    contact.numbers.insert("work".into(), number("030123"));
    site.contacts.insert("Müller & Söhne".into(), contact);
    let manager = self::manager(site).await;
    let found = manager.get("/directory?name=m%C3%BCller").await.shown();
    assert_eq!((found.items[0].name.as_str(), found.items[0].url.as_str()), ("Müller & Söhne", "030123"));
}
