//! Prints the description of the admin API: `cargo run -p selsius-server --example openapi > docs/openapi.json`.

#![allow(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    print!("{}", selsius_server::openapi());
}
