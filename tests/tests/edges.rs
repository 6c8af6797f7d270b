//! The arrows between crates are those of ARCHITECTURE.md, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn crates_use_only_what_the_architecture_page_allows() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let allowed = table(&std::fs::read_to_string(root.join("ARCHITECTURE.md"))?);
    let real = metadata(root)?;
    ensure!(allowed.len() >= 10, "the table of ARCHITECTURE.md was not found");

    let mut faults = Vec::new();
    for (name, uses) in &real {
        let Some(may) = allowed.get(name) else {
            faults.push(format!("crates/{name} is not in the table"));
            continue;
        };
        for used in uses {
            if !may.contains(used) && !may.contains("everything") {
                faults.push(format!("crates/{name} uses crates/{used}"));
            }
        }
    }
    for name in allowed.keys().filter(|n| !real.contains_key(*n)) {
        faults.push(format!("the table names `{name}`, which does not exist"));
    }
    ensure!(faults.is_empty(), "ARCHITECTURE.md and Cargo.toml disagree:\n  {}", faults.join("\n  "));
    Ok(())
}

/// Rows `| name | … | … | uses |` with names in backquotes; the word `everything` stands for all.
fn table(page: &str) -> Arrows {
    let mut out = Arrows::new();
    for row in page.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, .., uses] = cells.as_slice() else { continue };
        let mut set: BTreeSet<String> = uses.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if *uses == "everything" {
            set.insert("everything".to_owned());
        }
        out.insert(name.trim_matches('`').to_owned(), set);
    }
    out
}

/// Normal dependencies between the packages of `crates/`, named by folder.
fn metadata(root: &Path) -> Result<Arrows> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    let meta: Value = serde_json::from_slice(&out.stdout)?;
    let short = |name: &str| name.strip_prefix("vigie-").unwrap_or(name).to_owned();
    let mut result = Arrows::new();
    for package in meta["packages"].as_array().context("packages")? {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        if !Path::new(manifest).starts_with(root.join("crates")) {
            continue;
        }
        let uses = package["dependencies"]
            .as_array()
            .context("dependencies")?
            .iter()
            .filter(|d| d["kind"].is_null() && d["path"].is_string())
            .filter_map(|d| d["name"].as_str())
            .map(short)
            .collect();
        result.insert(short(package["name"].as_str().unwrap_or_default()), uses);
    }
    Ok(result)
}
