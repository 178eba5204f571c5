//! What the fuzz targets do, as plain functions: one module per crate. The crates' own tests include their
//! module and run it over captures and random input.

pub mod wire;
