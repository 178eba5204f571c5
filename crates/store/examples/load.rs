//! How long a large office takes to save, to change and to load: `cargo run --release -p selsius-store --example load`.

#![allow(clippy::print_stdout, reason = "what it measures is its output")]

use std::{error::Error, time::Instant};

use selsius_site::{Button, Device, Line, LineNumber, Model, Site};
use selsius_store::{SiteVersion, Store};

const PHONES: u32 = 100_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut site = Site::default();
    for phone in 0..PHONES {
        let number: LineNumber = format!("{}", 1_000_000 + phone).parse()?;
        let own = Button::Line { number: number.clone(), label: String::new() };
        let boss = Button::BusyLamp { number: "1000000".parse()?, label: "Boss".into() };
        let buttons = vec![own, boss, Button::Empty];
        let device = Device { buttons, model: Some(Model("7960".into())), ..Device::default() };
        site.devices.insert(format!("SEP{phone:012X}").parse()?, device);
        site.lines.insert(number, Line { name: format!("Room {phone}"), ..Line::default() });
    }
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("data")).await?.store;

    let start = Instant::now();
    let version = store.save_site(&site, SiteVersion(0)).await?;
    println!("{PHONES} phones and lines saved in {:.2} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let stored = store.load_site().await?;
    println!("loaded in {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(stored.site, site);

    site.lines.values_mut().take(1).for_each(|line| line.label = "changed".into());
    let start = Instant::now();
    store.save_site(&site, version).await?;
    println!("one line changed in {:.2} s", start.elapsed().as_secs_f64());
    println!("faults looked for in {:.2} s", validated(&site).as_secs_f64());
    store.close().await?;
    Ok(())
}

fn validated(site: &Site) -> std::time::Duration {
    let start = Instant::now();
    assert_eq!(site.validate(), []);
    start.elapsed()
}
