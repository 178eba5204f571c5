//! `selsius site dhcp`: what a DHCP server has to say so that phones find the manager.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, bail};
use clap::Args;
use hyper::{Method, body::Bytes};
use selsius_server::api;

use super::{
    node::{Node, block_on},
    out,
};

/// Prints the lines that tell phones where the manager is, for dnsmasq, ISC dhcpd and Kea.
#[derive(Debug, Args)]
pub(crate) struct DhcpArgs {
    #[command(flatten)]
    node: Node,
    /// The address that phones shall ask [default: the one that is configured, else this machine's].
    #[arg(long, value_name = "IPV4")]
    address: Option<Ipv4Addr>,
}

pub(crate) fn run(args: &DhcpArgs) -> Result<()> {
    let (address, others) = match args.address {
        Some(address) => (address, Vec::new()),
        None => address(&args.node)?,
    };
    out::print(&lines(address, &others))
}

/// The address that phones can reach, and others that might be meant.
fn address(node: &Node) -> Result<(Ipv4Addr, Vec<Ipv4Addr>)> {
    let config = node.config()?;
    // A manager that runs knows best; without one the configuration does.
    let running: Option<api::Status> =
        block_on(async { node.connect().await?.json(Method::GET, "/v1/status", Bytes::new()).await }).ok();
    let (advertise, sccp) = match running {
        Some(status) => (status.addresses.advertise, status.addresses.sccp),
        None => (config.advertise, config.sccp),
    };
    let bound = sccp.iter().map(|address| address.ip().to_canonical()).find(is_reachable);
    if let Some(IpAddr::V4(address)) = advertise.or(bound) {
        return Ok((address, Vec::new()));
    }
    let local = if_addrs::get_if_addrs().context("cannot list this machine's addresses")?;
    let mut local: Vec<_> = local
        .iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(ip) if is_reachable(&IpAddr::V4(ip)) => Some(ip),
            _ => None,
        })
        .collect();
    // Offices have private addresses; containers and virtual machines usually come after the first one.
    local.sort_by_key(|ip| !ip.is_private());
    if local.is_empty() {
        bail!("this machine has no address that phones could reach; say one with --address");
    }
    let first = local.remove(0);
    Ok((first, local))
}

fn is_reachable(ip: &IpAddr) -> bool {
    let link_local = matches!(ip, IpAddr::V4(ip) if ip.is_link_local());
    !ip.is_unspecified() && !ip.is_loopback() && !link_local
}

fn lines(address: Ipv4Addr, others: &[Ipv4Addr]) -> String {
    let others: Vec<_> = others.iter().map(ToString::to_string).collect();
    let choice = match others.is_empty() {
        true => String::new(),
        false => format!("# This machine also has {}; choose with --address.\n", others.join(", ")),
    };
    format!(
        r#"# Phones ask the TFTP server of option 150 (a list of addresses), else of option 66 (a name or address).
{choice}
# dnsmasq (dnsmasq.conf)
dhcp-option=150,{address}
dhcp-option=66,"{address}"

# ISC dhcpd (dhcpd.conf)
option voip-tftp-server code 150 = array of ip-address;
option voip-tftp-server {address};
option tftp-server-name "{address}";

# Kea (kea-dhcp4.conf, inside "Dhcp4")
"option-def": [
  {{ "name": "voip-tftp-server", "code": 150, "space": "dhcp4", "type": "ipv4-address", "array": true }}
],
"option-data": [
  {{ "name": "voip-tftp-server", "data": "{address}" }},
  {{ "name": "tftp-server-name", "data": "{address}" }}
]
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_gets_both_options() {
        let text = lines("192.0.2.5".parse().unwrap(), &["10.0.0.1".parse().unwrap()]);
        for line in [
            "dhcp-option=150,192.0.2.5\n",
            "option voip-tftp-server 192.0.2.5;\n",
            r#"{ "name": "voip-tftp-server", "data": "192.0.2.5" }"#,
            "# This machine also has 10.0.0.1; choose with --address.\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
