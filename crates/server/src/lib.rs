//! The manager's shell: it wires exchange, store and provisioning to sockets, files and an operator.
//!
//! ```text
//!  phones ──TCP 2000──> core (a thread of its own: sockets and exchange) ──records──> store's queue
//!                        ^ Handle: bounded commands
//!                        |
//!                        └──AnchorOrder──> media (a thread of its own: RTP sockets and media engine)
//!  phones ──UDP 69────> tftp ┐
//!  phones ──TCP 6970──> http ┼ one tokio runtime: files, office (how the site changes), admin
//!  people ──Unix──────> admin┤
//!  Prometheus ──TCP───> observe┘
//! ```
//!
//! [`Server::start`] runs all of it in this process; [`config`] is `selsius.toml`; [`api`] is what the admin socket
//! speaks, for the command line and anybody else.

mod admin;
pub mod api;
pub mod config;
pub mod core;
mod error;
mod files;
mod http;
pub mod media;
mod net;
mod observe;
mod office;
mod options;
mod quality;
mod recordings;
mod server;
mod services;
mod sip;
mod tftp;
mod voice;
mod wav;

pub use self::{
    admin::openapi,
    error::{ServeError, chain},
    net::local_towards,
    options::Options,
    server::{ADMIN_SOCKET, Notice, Server},
};
/// Listening in on SIP ([`Options::sip_tap`]).
pub use selsius_sip::{Tap as SipTap, Tapped as SipTapped};
