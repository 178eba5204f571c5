//! `selsius guard --listen`: the guard at work.

use std::{io::stdout, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use selsius_guard::{
    control,
    event::Log,
    evidence::Evidence,
    policy::Rules,
    proxy::{self, Options, Order, Route},
    tftp,
    ways::{Network, Ways},
};
use selsius_inspect::guard::Nat;
use tokio::{
    net::{TcpListener, UdpSocket},
    signal::unix::{SignalKind, signal},
};

use super::GuardArgs;
use crate::cli::{node::block_on, out};

pub(super) fn run(args: GuardArgs, rules: Rules) -> Result<ExitCode> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    if args.listen.is_empty() {
        bail!("say where phones connect to, with --listen, such as --listen 0.0.0.0:2000");
    }
    if args.upstream.is_empty() && !args.transparent {
        bail!("say where the manager is, with --upstream, such as --upstream 192.0.2.1:2000");
    }
    if let Some(own) = args.listen.iter().find(|listen| args.upstream.contains(listen)) {
        bail!("{own} is the guard's own address: --upstream has to name the manager");
    }
    let routes = args.listen.iter().map(|&listen| Route {
        listen,
        transparent: args.transparent,
        managers: args.upstream.clone(),
    });
    let log = match &args.log {
        Some(path) => Log::file(path).with_context(|| format!("cannot write {}", path.display()))?,
        None => Log::to(stdout()),
    };
    let ways = if args.relay {
        Ways::relay().context("cannot start the relay")?
    } else if args.nftables.is_empty() {
        Ways::none()
    } else {
        let (first, last) = args.media_ports;
        let translation = &rules.translation;
        let places = [&translation.stations, &translation.managers].into_iter().filter_map(|nat| match nat {
            Nat::Ports { address, ports } => Some((*address, ports.clone())),
            _ => None,
        });
        let network = Network {
            table: "selsius_guard".into(),
            phones: args.nftables.clone(),
            places: places.collect(),
            ports: first..=last,
        };
        Ways::nftables(network)?
    };
    let evidence = match &args.evidence {
        Some(folder) => {
            let made = Evidence::new(folder);
            Some(made.with_context(|| format!("cannot keep evidence in {}", folder.display()))?)
        }
        None => None,
    };
    block_on(async {
        let control = control::listen(&args.control).with_context(|| {
            format!("cannot listen at {}; --control names another path", args.control.display())
        })?;
        let metrics = match args.metrics {
            Some(at) => {
                Some(TcpListener::bind(at).await.with_context(|| format!("cannot tell figures at {at}"))?)
            }
            None => None,
        };
        let files = match args.tftp {
            Some(at) => {
                let socket = UdpSocket::bind(at).await;
                Some(socket.with_context(|| format!("cannot give files at {at}"))?)
            }
            None => None,
        };
        let servers = rules.translation.servers.clone();
        let (handle, thread) =
            proxy::start(Options { routes: routes.collect(), rules, log, ways, evidence })?;
        if args.log.is_some() {
            let listening: Vec<_> = handle.addresses().iter().map(ToString::to_string).collect();
            out::print(&format!("selsius guard ready: {}\n", listening.join(" ")))?;
        }
        for (listens, wanted) in handle.addresses().iter().zip(&args.listen) {
            tracing::info!(%listens, policy = %args.policy, managers = ?args.upstream, asked = %wanted, "the guard stands");
        }
        let reload: control::Reload = {
            let (policy, handle) = (args.policy.clone(), handle.clone());
            Arc::new(move || {
                let rules = super::rules(&policy).map_err(|error| format!("{error:#}"))?;
                let told = handle.send(Order::Rules(Box::new(rules)));
                told.then_some(()).ok_or_else(|| "the guard has ended".into())
            })
        };
        let figures = async {
            match metrics {
                Some(listener) => control::tell_figures(listener, handle.clone()).await,
                None => std::future::pending().await,
            }
        };
        let files = async {
            match files.zip(args.tftp_upstream) {
                Some((socket, upstream)) => tftp::serve(socket, upstream, servers).await,
                None => std::future::pending().await,
            }
        };
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let reloads = async {
            while hang_up.recv().await.is_some() {
                if let Err(error) = reload() {
                    tracing::error!(%error, "the rules stay as they are");
                }
            }
        };
        let result = tokio::select! {
            ended = control::serve(control, handle.clone(), reload.clone()) => ended.context("the control socket has failed"),
            ended = files => ended.context("TFTP has failed"),
            ended = figures => ended.context("the address for figures has failed"),
            () = reloads => Ok(()),
            told = tokio::signal::ctrl_c() => told.context("cannot wait for signals"),
            _ = terminate.recv() => Ok(()),
        };
        handle.send(Order::Stop);
        let _ = std::fs::remove_file(&args.control);
        if tokio::task::spawn_blocking(move || thread.join()).await?.is_err() {
            bail!("the guard's thread has crashed");
        }
        result.map(|()| ExitCode::SUCCESS)
    })
}
