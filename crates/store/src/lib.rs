//! The embedded database: site, call records, device history.
