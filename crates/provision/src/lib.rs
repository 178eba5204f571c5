//! What phones fetch before they register: [`tftp`] in both roles, without I/O, and [`files`], which says what a
//! phone gets for a name. Sockets, the folder with firmware and locales, and HTTP are the server's business.
//!
//! ```
//! use selsius_provision::files::{Context, Served, resolve};
//! use selsius_site::Site;
//!
//! let site = Site::from_toml("site.toml", "[devices.SEP001380AD9E5F]\nmodel = \"7912\"")?;
//! let context = Context::new(&site, "10.0.0.180:2000".parse().unwrap());
//! let Served::Generated(file) = resolve("SEP001380AD9E5F.cnf.xml", &context) else { panic!() };
//! assert!(String::from_utf8_lossy(&file).contains("<processNodeName>10.0.0.180</processNodeName>"));
//! assert_eq!(resolve("../etc/passwd", &context), Served::NotFound);
//! # Ok::<(), selsius_site::SiteFileError>(())
//! ```
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod files;
mod name;
pub mod tftp;
mod zone;

pub use name::{BadName, FileName};
