//! The interface is read from `web/dist` at build time: build again when it changes.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A folder that is missing would make Cargo run this each time; its parent is always there.
    let dist = std::path::Path::new("../../web/dist");
    println!("cargo::rerun-if-changed={}", if dist.exists() { "../../web/dist" } else { "../../web/package.json" });
}
