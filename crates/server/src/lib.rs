//! The manager's shell: listeners, sessions, timers, admin API, TFTP, HTTP.
