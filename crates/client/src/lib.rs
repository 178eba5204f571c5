//! The shell around stations: connect, run, RTP.
