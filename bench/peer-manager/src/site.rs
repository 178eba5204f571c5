//! The phones of a site file, of which each has one line.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sccp_protocol::{
    ButtonDefinition, DeviceDefinition, DeviceId, LineAppearance, LineDefinition, SoftKeyProfile,
    StationTransportRequirement, StationUiPolicy,
};
use serde::Deserialize;

/// A phone and its line.
pub struct Phone {
    pub device: DeviceId,
    pub number: String,
    pub name: String,
}

impl Phone {
    /// The phone as the server wants to know it.
    pub fn definition(&self) -> DeviceDefinition {
        let line = LineDefinition { number: self.number.clone(), display_name: self.name.clone() };
        DeviceDefinition {
            id: self.device.clone(),
            description: self.name.clone(),
            transport: StationTransportRequirement::Either,
            peer_addresses: Default::default(),
            signaling_qos: None,
            buttons: vec![ButtonDefinition::Line(LineAppearance::new(1, line))],
            soft_keys: SoftKeyProfile::default(),
            ui: StationUiPolicy::default(),
        }
    }
}

#[derive(Deserialize)]
struct Site {
    lines: BTreeMap<String, Line>,
    devices: BTreeMap<String, Device>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
}

#[derive(Deserialize)]
struct Device {
    buttons: Vec<Button>,
}

#[derive(Deserialize)]
struct Button {
    line: String,
}

/// The phones of a site file as `selsius load --print-site` writes it.
pub fn phones(text: &str) -> Result<Vec<Phone>> {
    let Site { lines, devices } = toml::from_str(text)?;
    let phone = |(device, Device { buttons }): (String, Device)| {
        let Button { line: number } = buttons.into_iter().next().context("a phone without a line")?;
        let name = lines.get(&number).context("a line that is not in the file")?.name.clone();
        Ok(Phone { device: DeviceId::new(device)?, number, name })
    };
    devices.into_iter().map(phone).collect()
}
