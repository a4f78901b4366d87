//! The book: well-formed, complete, and self-contained.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pushforward_course::runner::write_book;

use crate::notation_reader::{Element, parse};

/// Every page by name, as text and as a tree.
fn written() -> BTreeMap<String, (String, Element)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book");
    let _ = fs::remove_dir_all(&folder);
    assert_eq!(write_book(&folder), ExitCode::SUCCESS, "every check of every lesson holds");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let page = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        let body = text.strip_prefix("<!DOCTYPE html>\n").unwrap_or_else(|| panic!("{name} is no page"));
        let tree = parse(body.trim_end()).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, (text.clone(), tree))
    };
    entries.map(page).collect()
}

/// All elements of a tree.
fn elements(root: &Element) -> Vec<&Element> {
    let (mut open, mut all) = (vec![root], Vec::new());
    while let Some(element) = open.pop() {
        open.extend(&element.children);
        all.push(element);
    }
    all
}

fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let from = element.attributes.find(&format!("{name}=\""))? + name.len() + 2;
    element.attributes[from..].split('"').next()
}

#[test]
fn every_page_is_well_formed_and_leads_somewhere() {
    let pages = written();
    assert!(pages.len() >= 15, "{} pages", pages.len());
    let size: usize = pages.values().map(|(text, _)| text.len()).sum();
    assert!(size < 5_000_000, "{size} bytes");
    let ids: BTreeMap<&str, BTreeSet<&str>> = pages
        .iter()
        .map(|(name, (_, tree))| {
            (name.as_str(), elements(tree).into_iter().filter_map(|it| attribute(it, "id")).collect())
        })
        .collect();
    let (mut linked, mut formulas, mut pictures) = (BTreeSet::new(), 0, 0);
    for (name, (text, tree)) in &pages {
        for outside in ["<script", "http:", "https:", "src=", "url(", "@import", "<link", "src/../"] {
            // The name of SVG is no address.
            let text = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            assert!(!text.contains(outside), "{outside} in {name}");
        }
        for element in elements(tree) {
            if let Some(link) = attribute(element, "href") {
                let (file, place) = link.split_once('#').unwrap_or((link, ""));
                let file = if file.is_empty() { name } else { file };
                let there = ids.get(file).unwrap_or_else(|| panic!("{name} leads to {link}"));
                assert!(place.is_empty() || there.contains(place), "{name} leads to {link}");
                linked.insert(file.to_string());
            }
            formulas += usize::from(element.name == "math");
            if element.name == "svg" && attribute(element, "role").is_some() {
                let told = ["title", "desc"].iter().all(|part| {
                    element.children.iter().any(|it| it.name == *part && it.text.trim().len() > 3)
                });
                assert!(told, "a picture of {name} is not told in words");
                pictures += 1;
            }
        }
    }
    let missed: Vec<&String> = pages.keys().filter(|name| !linked.contains(*name)).collect();
    assert!(missed.is_empty(), "no page leads to {missed:?}");
    assert!(formulas > 500 && pictures > 20, "{formulas} formulas, {pictures} pictures");
}
