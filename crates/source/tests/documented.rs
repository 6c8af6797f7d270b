//! The list is the truth: `docs/camera-kinds.md` is made from it.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fmt::Write;

use vigie_source::{KINDS, Kind, PLANNED};

/// The page as the list says it.
fn page() -> String {
    let mut out = String::from(
        "# Kinds of cameras\n\nMade from the list in `crates/source/src/kinds.rs`; `UPDATE_DOCS=1 cargo test -p \
         vigie-source --test documented`\nwrites it again. Options are keys of a camera's `connection_config`, or of \
         the URL's query where they begin with `?`.\n",
    );
    for Kind { name, summary, options, .. } in KINDS {
        let _ = write!(out, "\n## `{name}`\n\n{summary}\n\n| option | default | meaning |\n|---|---|---|\n");
        for o in *options {
            let _ = writeln!(out, "| `{}` | {} | {} |", o.name, o.default, o.summary);
        }
    }
    out.push_str("\n## Planned\n\nThese are known, and refused with a sentence that says so.\n\n");
    for k in PLANNED {
        let _ = writeln!(out, "- `{}`: {}", k.name, k.summary);
    }
    out
}

#[test]
fn the_page_says_what_the_list_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/camera-kinds.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page(), "docs/camera-kinds.md is not what the list says; see its first lines for how to write it");
}
