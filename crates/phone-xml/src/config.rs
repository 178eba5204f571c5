//! Configuration files: `SEP<MAC>.cnf.xml` of one phone, `XMLDefault.cnf.xml` for all others.
//!
//! The elements and their order are those of the file that CallManager 4.1 served to a 7912 (captured details,
//! f). Files of later managers, as far as they were seen, have the same order with more between; a
//! [`ConfigStyle::New`] file carries those that phones with a whole XML parser look for.

use crate::Encoding;
use crate::element::Document;

/// Which elements a file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConfigStyle {
    /// Exactly those of CallManager 4.1, for phones with a small parser; ASCII without a declaration.
    #[default]
    Old,
    /// Those and some more, in UTF-8.
    New,
}

/// The file of one phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhoneConfig {
    /// Which elements it has.
    pub style: ConfigStyle,
    /// Order of day, month and year, such as `D.M.Y`; `YA` asks for a 12-hour clock.
    pub date_template: String,
    /// The time zone by the name that phones know, such as `W. Europe Standard/Daylight Time`.
    pub time_zone: String,
    /// Where to register, the first choice first; phones take at most three.
    pub managers: Vec<Manager>,
    /// The firmware that the phone has to run; empty is any.
    pub load: String,
    /// Settings of the model.
    pub vendor: Vec<VendorSetting>,
    /// Whatever differs when the file does: phones compare it.
    pub version_stamp: String,
    /// Language of the phone's own texts.
    pub user_locale: UserLocale,
    /// Country of the phone's tones.
    pub network_locale: NetworkLocale,
    /// Seconds until an idle phone opens [`Urls::idle`]; 0 is never.
    pub idle_timeout: u32,
    /// Addresses behind the phone's buttons.
    pub urls: Urls,
    /// DSCP of signalling as the whole byte of the IP header (96 is CS3), 0 to 255.
    pub signalling_tos: u8,
}

/// A manager as a configuration file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// Address as a literal: a name would need a DNS server that knows it (the captured 7912 failed there).
    pub address: String,
    /// TCP port of SCCP.
    pub port: u16,
}

/// A setting in `vendorConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorSetting {
    /// Name of the element.
    pub name: &'static str,
    /// Its text.
    pub value: &'static str,
}

/// Language of the phone's own texts. Anything but English (United States) makes the phone look for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLocale {
    /// Name, which is also the folder of its files.
    pub name: String,
    /// ISO 639 code.
    pub lang_code: String,
    /// Code page of the texts that are not Unicode.
    pub char_set: String,
}

impl Default for UserLocale {
    fn default() -> Self {
        Self { name: "English_United_States".into(), lang_code: "en".into(), char_set: "iso-8859-1".into() }
    }
}

/// Country of the phone's tones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkLocale {
    /// Name, which is also the folder of its files.
    pub name: String,
}

impl Default for NetworkLocale {
    fn default() -> Self {
        Self { name: "United_States".into() }
    }
}

/// Addresses behind the phone's buttons; an empty one is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urls {
    /// Who is asked whether an object may be pushed to the phone.
    pub authentication: String,
    /// Directories button.
    pub directory: String,
    /// What an idle phone opens.
    pub idle: String,
    /// The i or ? button.
    pub information: String,
    /// Messages button.
    pub messages: String,
    /// Proxy for all of them.
    pub proxy_server: String,
    /// Services button.
    pub services: String,
}

/// Version of the locale: only compared with the one that the phone has. CallManager 4.1's.
const LOCALE_VERSION: &str = "4.1(3)";
/// Seconds that a phone stays with a standby manager after its own came back. CallManager's default.
const MONITOR_SECONDS: u32 = 120;

impl PhoneConfig {
    /// The file.
    pub fn to_xml(&self) -> Vec<u8> {
        let new = self.style == ConfigStyle::New;
        let mut xml = Document::new(if new { Encoding::Utf8 } else { Encoding::Ascii });
        // The prefixes are declared nowhere in the captured file either; newer parsers get none.
        let root: &[(&str, &str)] = if new { &[] } else { &[("xsi:type", "axl:XIPPhone")] };
        xml.parent("device", root, |xml| {
            if new {
                xml.leaf("fullConfig", "true");
                xml.leaf("deviceProtocol", "SCCP");
            }
            self.device_pool(xml);
            if new {
                xml.parent("commonProfile", &[], |xml| {
                    xml.leaf("phonePassword", "");
                    xml.leaf("backgroundImageAccess", "true");
                    xml.leaf("callLogBlfEnabled", "0");
                });
            }
            xml.leaf("loadInformation", &self.load);
            xml.parent("vendorConfig", &[], |xml| {
                self.vendor.iter().for_each(|setting| xml.leaf(setting.name, setting.value));
            });
            xml.leaf("versionStamp", &self.version_stamp);
            self.locales(xml);
            if new {
                // 1: neither authenticated nor encrypted, so that the phone does not wait for a trust list.
                xml.leaf("deviceSecurityMode", "1");
            }
            xml.number("idleTimeout", self.idle_timeout);
            self.urls.write(xml, self.urls.proxy_server.as_str().into());
            xml.number("dscpForCm2Dvce", self.signalling_tos);
            xml.number("dscpForSCCPPhoneConfig", self.signalling_tos);
            xml.number("dscpForSCCPPhoneServices", 0_u8);
            if new {
                xml.leaf("transportLayerProtocol", "4");
            }
            xml.leaf("capfAuthMode", "1");
            xml.parent("capfList", &[], |xml| {
                xml.parent("capf", &[], |xml| {
                    xml.number("phonePort", 3804_u16);
                    xml.leaf(
                        "processNodeName",
                        self.managers.first().map_or("", |first| first.address.as_str()),
                    );
                });
            });
            if new {
                xml.leaf("certHash", "");
                xml.leaf("encrConfig", "false");
            }
        });
        xml.finish()
    }

    fn device_pool(&self, xml: &mut Document) {
        xml.parent("devicePool", &[], |xml| {
            xml.leaf("name", "Default");
            xml.parent("dateTimeSetting", &[], |xml| {
                xml.leaf("name", "CMLocal");
                xml.leaf("dateTemplate", &self.date_template);
                xml.leaf("timeZone", &self.time_zone);
            });
            manager_group(xml, &self.managers);
            xml.parent("srstInfo", &[], |xml| {
                xml.leaf("name", "Disable");
                xml.leaf("srstOption", "Disable");
                xml.leaf("userModifiable", "false");
                for (address, port) in [("ipAddr1", "port1"), ("ipAddr2", "port2"), ("ipAddr3", "port3")] {
                    xml.leaf(address, "");
                    xml.leaf(port, "2000");
                }
                xml.leaf("isSecure", "false");
            });
            xml.leaf("mlppDomainId", "-1");
            xml.leaf("mlppIndicationStatus", "Default");
            xml.leaf("preemption", "Default");
            xml.number("connectionMonitorDuration", MONITOR_SECONDS);
        });
    }

    fn locales(&self, xml: &mut Document) {
        let UserLocale { name, lang_code, char_set } = &self.user_locale;
        xml.parent("userLocale", &[], |xml| {
            xml.leaf("name", name);
            xml.leaf("uid", "1");
            xml.leaf("langCode", lang_code);
            xml.leaf("version", LOCALE_VERSION);
            xml.leaf("winCharSet", char_set);
        });
        xml.leaf("networkLocale", &self.network_locale.name);
        xml.parent("networkLocaleInfo", &[], |xml| {
            xml.leaf("name", &self.network_locale.name);
            xml.leaf("uid", "64");
            xml.leaf("version", LOCALE_VERSION);
        });
    }
}

impl Urls {
    /// `XMLDefault.cnf.xml` has no proxy.
    fn write(&self, xml: &mut Document, proxy: Option<&str>) {
        xml.leaf("authenticationURL", &self.authentication);
        xml.leaf("directoryURL", &self.directory);
        xml.leaf("idleURL", &self.idle);
        xml.leaf("informationURL", &self.information);
        xml.leaf("messagesURL", &self.messages);
        if let Some(proxy) = proxy {
            xml.leaf("proxyServerURL", proxy);
        }
        xml.leaf("servicesURL", &self.services);
    }
}

fn manager_group(xml: &mut Document, managers: &[Manager]) {
    xml.parent("callManagerGroup", &[], |xml| {
        xml.parent("members", &[], |xml| {
            for (priority, manager) in managers.iter().enumerate() {
                xml.parent("member", &[("priority", &priority.to_string())], |xml| {
                    xml.parent("callManager", &[], |xml| {
                        xml.parent("ports", &[], |xml| {
                            xml.number("analogAccessPort", 2002_u16);
                            xml.number("digitalAccessPort", 2001_u16);
                            xml.number("ethernetPhonePort", manager.port);
                            xml.parent("mgcpPorts", &[], |xml| {
                                xml.number("listen", 2427_u16);
                                xml.number("keepAlive", 2428_u16);
                            });
                        });
                        xml.leaf("processNodeName", &manager.address);
                    });
                });
            }
        });
    });
}

/// `XMLDefault.cnf.xml`, which phones take that have no file of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefaultConfig {
    /// Where to register, the first choice first.
    pub managers: Vec<Manager>,
    /// The firmware of each model that has to run a certain one.
    pub loads: Vec<DefaultLoad>,
    /// Addresses behind the phones' buttons.
    pub urls: Urls,
}

/// The firmware of one model: `<loadInformation7 model="Cisco 7960">P0030801SR02</loadInformation7>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultLoad {
    /// Device type number; phones find their line by it.
    pub device_type: u32,
    /// Name of the model, for people.
    pub model: String,
    /// The load.
    pub load: String,
}

impl DefaultConfig {
    /// The file. Phones of all ages read it, so it is plain ASCII.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut xml = Document::new(Encoding::Ascii);
        xml.parent("Default", &[], |xml| {
            manager_group(xml, &self.managers);
            for load in &self.loads {
                let name = format!("loadInformation{}", load.device_type);
                xml.leaf_with(&name, &[("model", &load.model)], &load.load);
            }
            self.urls.write(xml, None);
        });
        xml.finish()
    }
}
