//! Who may do what, asked from outside: **every route of the API × everybody who could ask** (contract §0.9, §20.11).
//!
//! `rights/table.txt` is the contract's table spelled out; a route that is not in it fails the test, and so does one
//! that is in it and not in the API. Two clubs, people of both, one session with a recording, tablets and tokens stand
//! ready; what an allowed request would use up is made anew for each one.

#[path = "rights/ask.rs"]
mod ask;
#[path = "rights/house.rs"]
mod house;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use house::House;

const TABLE: &str = include_str!("rights/table.txt");

/// One line of the table.
struct Row<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a str,
    /// One character for each of [`house::PERSONAS`].
    cells: Vec<char>,
}

fn rows() -> Result<Vec<Row<'static>>> {
    let lines = TABLE.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    lines
        .map(|line| {
            let (request, rest) = line.split_once('|').with_context(|| format!("no cells: {line}"))?;
            let (cells, body) = rest.split_once('|').unwrap_or((rest, ""));
            let (method, path) = request.trim().split_once(' ').with_context(|| format!("no path: {line}"))?;
            let cells: Vec<char> = cells.chars().filter(|c| !c.is_whitespace()).collect();
            ensure!(cells.len() == house::PERSONAS.len(), "{} cells in: {line}", cells.len());
            Ok(Row { method, path: path.trim(), body: body.trim(), cells })
        })
        .collect()
}

/// What a status says about rights. Anything else than a refusal means that the door was open.
fn cell(status: u16) -> char {
    match status {
        401 => '!',
        403 => '-',
        404 => '0',
        _ => '+',
    }
}

#[test]
fn every_route_and_everybody_is_in_the_table() -> Result<()> {
    let house = House::build()?;
    let document = house.vigie.get("/api/openapi.json")?.body;
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        for method in item.as_object().context("path item")?.keys() {
            routes.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut listed = BTreeSet::new();
    let mut faults = Vec::new();
    for row in rows()? {
        listed.insert(row.route());
        for (persona, wanted) in house::PERSONAS.iter().zip(&row.cells) {
            if *wanted == '.' {
                continue;
            }
            let status = house.ask(persona, row.method, row.path, row.body)?;
            ensure!(status < 500, "{} {} for {persona}: {status}\n{}", row.method, row.path, house.vigie.log_text());
            if cell(status) != *wanted {
                faults.push(format!("{} {} for {persona}: {status}, wanted {wanted}", row.method, row.path));
            }
        }
    }
    let missing: Vec<_> = routes.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&routes).collect();
    ensure!(missing.is_empty() && unknown.is_empty(), "not in the table: {missing:#?}\nnot in the API: {unknown:#?}");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

impl Row<'_> {
    /// As the OpenAPI document names it: without the query, and with the parameter's own name.
    fn route(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut out = String::new();
        for (i, part) in path.split('/').enumerate() {
            if i > 0 {
                out.push('/');
            }
            // `{session_id=spare_session}`: the name in the document, then what is put in its place.
            match part.strip_prefix('{').and_then(|p| p.split_once('=')) {
                Some((name, _)) => out.push_str(&format!("{{{name}}}")),
                None => out.push_str(part),
            }
        }
        format!("{} {out}", self.method)
    }
}
