//! What the fuzz targets do, as plain functions. The crates' own tests include the module of theirs and run it over captures and
//! random input.

pub mod capture;
pub mod guard;
pub mod media;
pub mod reassembly;
pub mod wire;
