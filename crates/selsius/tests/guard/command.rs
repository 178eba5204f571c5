//! The guard as a command: what people see.
