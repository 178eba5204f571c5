//! What a phone gets for a name: a file made from the site, one out of the folder, or nothing.

use alloc::{format, string::String, string::ToString, vec, vec::Vec};
use core::net::SocketAddr;

use selsius_phone_xml::{
    ConfigStyle, DefaultConfig, DefaultLoad, Manager, NetworkLocale, PhoneConfig, Ring, RingList, Urls,
    UserLocale, VendorSetting,
};
use selsius_site::{Device, DeviceName, Generation, Language, Local, Model, Site, TonePlan};

use crate::{FileName, zone::phone_zone};

/// CS3, where signalling belongs, as the byte of the IP header: what CallManager 4.1 tells its phones.
const SIGNALLING_TOS: u8 = 96;

/// What a generated file depends on.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The office.
    pub site: &'a Site,
    /// Where phones shall register: the local address that this phone asked (or the one configured), and the
    /// port of SCCP. An IPv4 address that came mapped into IPv6 is written as IPv4.
    pub manager: SocketAddr,
    /// File names of ring tones that lie in the folder (see [`is_ring`]), in the order to show.
    pub rings: &'a [String],
    /// The byte of the IP header that phones shall use for signalling.
    pub signalling_tos: u8,
    /// The port at the same address where the manager serves the phones' screens, if it does.
    pub services_port: Option<u16>,
}

impl<'a> Context<'a> {
    /// A context without ring tones and with the usual class of service.
    pub fn new(site: &'a Site, manager: SocketAddr) -> Self {
        Self { site, manager, rings: &[], signalling_tos: SIGNALLING_TOS, services_port: None }
    }
}

/// What is served for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// These bytes.
    Generated(Vec<u8>),
    /// The file of this name in the folder, if there is one.
    Folder(FileName),
    /// Nothing: the name could leave the folder.
    NotFound,
}

/// What a phone gets for `name`, by TFTP or HTTP.
pub fn resolve(name: &str, context: &Context<'_>) -> Served {
    let Ok(name) = FileName::parse(name.as_bytes()) else {
        return Served::NotFound;
    };
    match generated(&name, context) {
        Some(bytes) => Served::Generated(bytes),
        None => Served::Folder(name),
    }
}

/// The file that is made from the site; `None` for all others.
///
/// Phones write the fixed names in several ways (`Ringlist.xml` and `RINGLIST.XML`, `XMLDefault.cnf.xml` and
/// `XmlDefault.cnf.xml`), so case does not matter for these.
pub fn generated(name: &FileName, context: &Context<'_>) -> Option<Vec<u8>> {
    let lower = name.as_str().to_ascii_lowercase();
    match lower.as_str() {
        "xmldefault.cnf.xml" => Some(default_config(context).to_xml()),
        // An empty list would take the built-in rings away; then the phone had better find none.
        "ringlist.xml" | "distinctiveringlist.xml" if !context.rings.is_empty() => {
            Some(ring_list(context.rings).to_xml())
        }
        _ => {
            let device: DeviceName = lower.strip_suffix(".cnf.xml")?.parse().ok()?;
            Some(phone_config(&device, context)?.to_xml())
        }
    }
}

/// Is this the name of a ring tone that a phone can ask for? They are raw µ-law files.
pub fn is_ring(name: &str) -> bool {
    FileName::parse(name.as_bytes()).is_ok()
        && name
            .rsplit_once('.')
            .is_some_and(|(stem, kind)| !stem.is_empty() && kind.eq_ignore_ascii_case("raw"))
}

/// The configuration of one phone: one of the site, or an unknown one that would be registered automatically.
pub fn phone_config(name: &DeviceName, context: &Context<'_>) -> Option<PhoneConfig> {
    let unknown = Device::default();
    let site = context.site;
    let device = match site.devices.get(name) {
        Some(device) => device,
        None if name.mac().is_some() && site.settings.auto_registration.is_some() => &unknown,
        None => return None,
    };
    let model = device.model.as_ref();
    let style = match model.and_then(Model::facts).map(|facts| facts.generation) {
        Some(Generation::Old) => ConfigStyle::Old,
        // Later CallManagers served the long form to every model, so it is the better guess.
        Some(Generation::New) | None => ConfigStyle::New,
    };
    let Local { language, time_zone, date_format } = site.local_of(Some(device));
    let mut config = PhoneConfig {
        style,
        date_template: date_format.into(),
        time_zone: phone_zone(time_zone).into(),
        managers: managers(context),
        load: model.and_then(|model| site.settings.firmware.get(model)).cloned().unwrap_or_default(),
        vendor: VENDOR.map(|(name, value)| VendorSetting { name, value }).into(),
        version_stamp: String::new(),
        user_locale: user_locale(language),
        network_locale: NetworkLocale { name: network_locale(site.settings.tones).into() },
        idle_timeout: if device.idle_text.is_empty() { 0 } else { IDLE_SECONDS },
        urls: urls(context, name.as_str(), device),
        signalling_tos: context.signalling_tos,
    };
    config.version_stamp = stamp(&config.to_xml());
    Some(config)
}

/// What CallManager 4.1 set for the 7912.
const VENDOR: [(&str, &str); 4] =
    [("disableSpeaker", "false"), ("garp", "0"), ("settingsAccess", "1"), ("webAccess", "0")];

fn default_config(context: &Context<'_>) -> DefaultConfig {
    let loads = context.site.settings.firmware.iter().filter_map(|(model, load)| {
        let device_type = model.device_type()?;
        Some(DefaultLoad { device_type, model: format!("Cisco {model}"), load: load.clone() })
    });
    DefaultConfig {
        managers: managers(context),
        loads: loads.collect(),
        urls: urls(context, THIS_DEVICE, &Device::default()),
    }
}

/// What a phone puts its own name for in an address (the maker's service developer notes).
const THIS_DEVICE: &str = "#DEVICENAME#";
/// How long a phone is idle before it shows its idle text.
const IDLE_SECONDS: u32 = 30;

/// The addresses behind the phone's buttons, if the manager serves any. An empty one is none.
fn urls(context: &Context<'_>, device: &str, entry: &Device) -> Urls {
    let Some(port) = context.services_port else { return Urls::default() };
    let server = SocketAddr::new(context.manager.ip().to_canonical(), port);
    let at = |path: &str| format!("http://{server}/{path}?device={device}");
    Urls {
        authentication: format!("http://{server}/authentication"),
        directory: at("directories"),
        idle: if entry.idle_text.is_empty() { String::new() } else { at("idle") },
        information: at("information"),
        // Where there are mailboxes the button calls them, which it does only without an address.
        messages: match context.site.settings.voicemail {
            Some(_) => String::new(),
            None => at("messages"),
        },
        proxy_server: String::new(),
        services: at("services"),
    }
}

/// The locale of a language. A phone that does not find its files stays with its own English.
fn user_locale(language: Language) -> UserLocale {
    let (name, lang_code) = match language {
        Language::English => return UserLocale::default(),
        Language::German => ("German_Germany", "de"),
        Language::French => ("French_France", "fr"),
        Language::Spanish => ("Spanish_Spain", "es"),
    };
    UserLocale { name: name.into(), lang_code: lang_code.into(), ..UserLocale::default() }
}

fn ring_list(files: &[String]) -> RingList {
    let ring = |file: &String| {
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        Ring { display_name: stem.replace(['_', '-'], " "), file_name: file.clone() }
    };
    RingList { rings: files.iter().map(ring).collect() }
}

fn managers(context: &Context<'_>) -> Vec<Manager> {
    let address = context.manager.ip().to_canonical().to_string();
    vec![Manager { address, port: context.manager.port() }]
}

/// The network locale whose tones are those of the plan; phones look for `<name>/g3-tones.xml` and keep the
/// built-in ones where there is none.
fn network_locale(tones: TonePlan) -> &'static str {
    match tones {
        TonePlan::UnitedStates => "United_States",
        TonePlan::Germany => "Germany",
        TonePlan::UnitedKingdom => "United_Kingdom",
        TonePlan::France => "France",
    }
}

/// A stamp in the form of CallManager's that is another one whenever the file is.
fn stamp(file: &[u8]) -> String {
    let (high, low) = (fnv1a(0xcbf2_9ce4_8422_2325, file), fnv1a(0x6c62_272e_07bb_0142, file));
    let (a, b, c) = (high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF);
    format!("{{{a:08X}-{b:04X}-{c:04X}-{:04X}-{:012X}}}", low >> 48, low & 0xFFFF_FFFF_FFFF)
}

/// FNV-1a with 64 bits: no secret is involved, only "did it change".
fn fnv1a(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        [settings]
        tones = "germany"
        time-zone = "Europe/Berlin"
        date-format = "D.M.Y"
        firmware.7912 = "CP7912080000SCCP"
        [devices.SEP001380AD9E5F]
        model = "7912"
        [devices.SEP00112233445A]
        model = "7965"
        [devices.SOFT-1]
    "#;

    fn site(text: &str) -> Site {
        Site::from_toml("test.toml", text).unwrap_or_else(|e| panic!("{e}"))
    }

    fn text(name: &str, context: &Context<'_>) -> String {
        match resolve(name, context) {
            Served::Generated(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn folder(name: &str) -> Served {
        Served::Folder(FileName::parse(name.as_bytes()).unwrap())
    }

    #[test]
    fn a_phone_of_the_site_gets_its_file() {
        let site = site(SITE);
        let context = Context::new(&site, "10.0.0.180:2000".parse().unwrap());
        let old = text("SEP001380AD9E5F.cnf.xml", &context);
        for part in [
            "<dateTemplate>D.M.Y</dateTemplate>",
            "<timeZone>W. Europe Standard/Daylight Time</timeZone>",
            "<ethernetPhonePort>2000</ethernetPhonePort>",
            "<processNodeName>10.0.0.180</processNodeName>",
            "<loadInformation>CP7912080000SCCP</loadInformation>",
            "<networkLocale>Germany</networkLocale>",
            "<dscpForSCCPPhoneConfig>96</dscpForSCCPPhoneConfig>",
        ] {
            assert!(old.contains(part), "{part} is not in {old}");
        }
        assert!(!old.contains("<deviceProtocol>"), "a 7912 gets the short form");
        assert_eq!(text("sep001380ad9e5f.CNF.XML", &context), old, "in any case");
        assert_eq!(text("/SEP001380AD9E5F.cnf.xml", &context), old, "with a slash");

        let new = text("SEP00112233445A.cnf.xml", &context);
        assert!(
            new.contains("<deviceProtocol>SCCP</deviceProtocol>") && new.contains("<loadInformation></load")
        );
        assert!(text("soft-1.cnf.xml", &context).contains("SCCP"));
    }

    #[test]
    fn the_address_is_the_one_that_was_asked() {
        let site = site(SITE);
        for (asked, told) in [
            ("192.0.2.7:2001", "192.0.2.7"),
            ("[2001:db8::1]:2000", "2001:db8::1"),
            ("[::ffff:192.0.2.7]:2000", "192.0.2.7"),
        ] {
            let context = Context::new(&site, asked.parse().unwrap());
            for name in ["SEP001380AD9E5F.cnf.xml", "XMLDefault.cnf.xml"] {
                assert!(text(name, &context).contains(&format!("<processNodeName>{told}</processNodeName>")));
            }
        }
    }

    #[test]
    fn an_unknown_phone_gets_a_file_only_if_it_may_register() {
        let closed = site(SITE);
        let manager = "10.0.0.1:2000".parse().unwrap();
        let name = "SEPFFFFFFFFFFFF.cnf.xml";
        assert_eq!(resolve(name, &Context::new(&closed, manager)), folder(name));

        let open = site("[settings]\nauto-registration = { first = \"1001\", last = \"1099\" }");
        let context = Context::new(&open, manager);
        assert!(text(name, &context).contains("<processNodeName>10.0.0.1<"));
        assert_eq!(resolve("gk123.cnf.xml", &context), folder("gk123.cnf.xml"), "only phones are registered");
    }

    #[test]
    fn the_stamp_changes_with_the_content_only() {
        let stamp = |text: &str, manager: &str| {
            let site = site(text);
            let name = "SEP001380AD9E5F".parse().unwrap();
            phone_config(&name, &Context::new(&site, manager.parse().unwrap())).unwrap().version_stamp
        };
        let first = stamp(SITE, "10.0.0.1:2000");
        assert_eq!(first.len(), "{5D6C2E9C-3077-4C73-B011-ECC6085B143C}".len());
        assert_eq!(first, stamp(SITE, "10.0.0.1:2000"));
        assert_ne!(first, stamp(SITE, "10.0.0.2:2000"));
        assert_ne!(first, stamp(&SITE.replace("080000", "080001"), "10.0.0.1:2000"));
    }

    #[test]
    fn the_default_file_carries_the_loads() {
        let site = site(SITE);
        let context = Context::new(&site, "10.0.0.1:2000".parse().unwrap());
        for name in ["XMLDefault.cnf.xml", "XmlDefault.cnf.xml", "xmldefault.CNF.xml"] {
            let text = text(name, &context);
            let load = "<loadInformation30007 model=\"Cisco 7912\">CP7912080000SCCP</loadInformation30007>";
            assert!(text.contains(load), "{text}");
        }
    }

    #[test]
    fn buttons_lead_to_the_manager() {
        let mut site = site(SITE);
        fn context(site: &Site) -> Context<'_> {
            Context { services_port: Some(6970), ..Context::new(site, "10.0.0.180:2000".parse().unwrap()) }
        }
        let old = text("SEP001380AD9E5F.cnf.xml", &context(&site));
        for part in [
            "<directoryURL>http://10.0.0.180:6970/directories?device=SEP001380AD9E5F</directoryURL>",
            "<servicesURL>http://10.0.0.180:6970/services?device=SEP001380AD9E5F</servicesURL>",
            "<messagesURL>http://10.0.0.180:6970/messages?device=SEP001380AD9E5F</messagesURL>",
            "<informationURL>http://10.0.0.180:6970/information?device=SEP001380AD9E5F</informationURL>",
            "<authenticationURL>http://10.0.0.180:6970/authentication</authenticationURL>",
            "<idleURL></idleURL>",
            "<idleTimeout>0</idleTimeout>",
        ] {
            assert!(old.contains(part), "{part} is not in {old}");
        }
        let default = text("XMLDefault.cnf.xml", &context(&site));
        assert!(default.contains("/services?device=#DEVICENAME#</servicesURL>"), "{default}");

        site.settings.voicemail = Some("8000".parse().unwrap());
        let device = site.devices.get_mut(&"SEP001380AD9E5F".parse().unwrap()).unwrap();
        device.idle_text = "Reception".into();
        device.language = Some(Language::French);
        device.time_zone = Some("Asia/Tokyo".into());
        device.date_format = Some("Y-M-D".into());
        let old = text("SEP001380AD9E5F.cnf.xml", &context(&site));
        for part in [
            "<messagesURL></messagesURL>",
            "<idleURL>http://10.0.0.180:6970/idle?device=SEP001380AD9E5F</idleURL>",
            "<idleTimeout>30</idleTimeout>",
            "<langCode>fr</langCode>",
            "<timeZone>Tokyo Standard Time</timeZone>",
            "<dateTemplate>Y-M-D</dateTemplate>",
        ] {
            assert!(old.contains(part), "{part} is not in {old}");
        }
        let six = Context::new(&site, "[fd00::1]:2000".parse().unwrap());
        let six = text("XMLDefault.cnf.xml", &Context { services_port: Some(80), ..six });
        assert!(six.contains("http://[fd00::1]:80/services"), "{six}");
    }

    #[test]
    fn rings_come_from_the_folder() {
        let site = site(SITE);
        let rings = ["Bass_Drum.raw".to_string(), "Smith&Sons.raw".to_string()];
        let context = Context { rings: &rings, ..Context::new(&site, "10.0.0.1:2000".parse().unwrap()) };
        for name in ["Ringlist.xml", "RINGLIST.XML", "RingList.xml", "DISTINCTIVERINGLIST.XML"] {
            let text = text(name, &context);
            assert!(text.contains("<DisplayName>Bass Drum</DisplayName>"), "{text}");
            assert!(text.contains("<FileName>Smith&amp;Sons.raw</FileName>"), "{text}");
        }
        let none = Context { rings: &[], ..context };
        assert_eq!(resolve("Ringlist.xml", &none), folder("Ringlist.xml"));
        assert!(
            is_ring("Bass.RAW")
                && !is_ring(".raw")
                && !is_ring("raw")
                && !is_ring("Bass.wav")
                && !is_ring("Baß.raw")
        );
    }

    #[test]
    fn all_else_is_looked_for_in_the_folder() {
        let site = site(SITE);
        let context = Context::new(&site, "10.0.0.1:2000".parse().unwrap());
        for name in [
            "CTLSEP001380AD9E5F.tlv",
            "Germany/g3-tones.xml",
            "P0030801SR02.sbn",
            "SEP001380AD9E5F.cnf.xml.sgn",
        ] {
            assert_eq!(resolve(name, &context), folder(name));
        }
        for name in ["../selsius.db", "a/../../b", "", "a\\b", "\0"] {
            assert_eq!(resolve(name, &context), Served::NotFound, "{name:?}");
        }
    }
}
