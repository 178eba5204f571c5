//! Exchange and stations on a virtual clock and network.
