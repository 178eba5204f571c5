//! TFTP and the files that phones fetch.
