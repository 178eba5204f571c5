//! The `selsius` command.
fn main() {}
