//! The manager's log: on standard error, its level to be changed while it runs, panics included.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{IsTerminal, stderr},
    panic,
};

use anyhow::{Context, Result, anyhow};
use selsius_server::config::{LogConfig, LogFormat, LogLevel};
use tracing_subscriber::EnvFilter;

/// The log.
pub(super) struct Log {
    /// Sets the level; nothing where $SELSIUS_LOG has the last word.
    set: Option<Box<dyn Fn(EnvFilter) -> Result<()>>>,
}

impl Log {
    /// Begins to log.
    pub(super) fn start(config: &LogConfig) -> Result<Self> {
        let given = std::env::var("SELSIUS_LOG").ok().filter(|text| !text.is_empty());
        let filter = match &given {
            Some(text) => text.parse().with_context(|| format!("$SELSIUS_LOG is `{text}`"))?,
            None => filter_of(config.level),
        };
        let colours =
            stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colours);
        let set: Box<dyn Fn(EnvFilter) -> Result<()>> = match config.format {
            LogFormat::Text => {
                let log = log.with_target(false).with_filter_reloading();
                let handle = log.reload_handle();
                log.try_init().map_err(|error| anyhow!(error))?;
                Box::new(move |filter| Ok(handle.reload(filter)?))
            }
            LogFormat::Json => {
                let log = log.json().flatten_event(true).with_filter_reloading();
                let handle = log.reload_handle();
                log.try_init().map_err(|error| anyhow!(error))?;
                Box::new(move |filter| Ok(handle.reload(filter)?))
            }
        };
        log_panics();
        Ok(Self { set: given.is_none().then_some(set) })
    }

    /// Logs what matters at least as much as this from now on.
    pub(super) fn level(&self, level: LogLevel) -> Result<()> {
        match &self.set {
            Some(set) => set(filter_of(level)),
            None => {
                tracing::warn!("log.level changes nothing as long as $SELSIUS_LOG says something else");
                Ok(())
            }
        }
    }
}

/// What is logged at a level. The SIP stack tells every message at "info", with what is secret in it.
fn filter_of(level: LogLevel) -> EnvFilter {
    let stack = if matches!(level, LogLevel::Error) { "error" } else { "warn" };
    EnvFilter::new(format!("{},rsipstack={stack}", level.name()))
}

/// Panics are told in the log, in its form, with the place in the code; with $RUST_BACKTRACE=1 also the way there.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let problem = panic.payload_as_str().unwrap_or("no reason given");
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(place, problem, backtrace, "panic");
    }));
}
