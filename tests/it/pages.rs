//! Reports as HTML: a page that needs nothing, runs nothing, and shows what was recorded as text.

use std::fs;

use crate::support::{nearmiss, root, stderr, stdout};

/// A page about one log, written to a folder of its own; `command` is `near` or `replay`.
#[track_caller]
fn page(command: &[&str], log: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.jsonl");
    fs::write(&file, log).unwrap();
    let output = nearmiss(&[command, &[file.to_str().unwrap(), "--format", "html"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output).replace(folder.path().to_str().unwrap(), "LOGS")
}

/// Elements that are closed by nothing.
const VOID: [&str; 1] = ["meta"];

/// Attributes that load nothing and run nothing.
const ATTRIBUTES: &str = " lang charset http-equiv name content class id href scope tabindex role aria-label width height \
                          viewBox x y ";

/// Every element is closed where it should be, ids are there once, and what is pointed to is there. Gives the names.
#[track_caller]
fn well_formed(page: &str) -> Vec<String> {
    let page = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let tag = regex::Regex::new(r#"<(/?)([a-z0-9]+)((?: [a-zA-Z-]+="[^"<>]*")*)>"#).unwrap();
    let style = page.find("<style>").unwrap()..page.find("</style>").unwrap();
    let (mut open, mut names, mut at) = (Vec::new(), Vec::new(), 0);
    for found in tag.captures_iter(page) {
        let whole = found.get(0).unwrap();
        if !style.contains(&at) {
            assert!(!page[at..whole.start()].contains(['<', '>', '"']), "{}", &page[at..whole.end()]);
        }
        at = whole.end();
        let name = found[2].to_owned();
        for attribute in found[3].split('"').step_by(2).filter_map(|part| part.strip_suffix('=')) {
            assert!(ATTRIBUTES.contains(&format!("{attribute} ")), "{attribute}");
        }
        if &found[1] == "/" {
            assert_eq!(open.pop(), Some(name));
        } else {
            names.push(name.clone());
            open.extend(Some(name).filter(|name| !VOID.contains(&name.as_str())));
        }
    }
    assert_eq!(open, [""; 0]);
    let all = |pattern: &str| -> Vec<String> {
        regex::Regex::new(pattern).unwrap().captures_iter(page).map(|found| found[1].to_owned()).collect()
    };
    let ids = all(r#" id="([^"]*)""#);
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
    for target in all(r#" href="([^"]*)""#) {
        let id = target.strip_prefix('#').expect("nothing outside of the page is pointed to");
        assert!(ids.iter().any(|known| known == id), "{target}");
    }
    names
}

const COMMANDS: [&[&str]; 2] = [&["replay"], &["near", "--all", "--today", "2026-11-21"]];

#[test]
fn pages_need_nothing_and_run_nothing() {
    for command in COMMANDS {
        let output = nearmiss(&[command, &["corpora/demo", "corpora/actions", "--format", "html"]].concat());
        let page = stdout(&output);
        let names = well_formed(&page);
        for forbidden in ["script", "link", "img", "iframe", "object", "embed", "form", "input", "base"] {
            assert!(!names.iter().any(|name| name == forbidden), "{command:?}: {forbidden}");
        }
        assert!(page.contains("content=\"default-src &#39;none&#39;; style-src &#39;sha256-"), "{page}");
        // Who cannot see it is told which table, which text, which picture it is.
        assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
        assert_eq!(page.matches("<pre").count(), page.matches("<pre tabindex=\"0\" role=\"group\" aria-label").count());
        assert_eq!(page.matches("<svg").count(), page.matches("<svg role=\"img\" aria-label").count());
        assert_eq!(page.matches("<h1").count(), 1);
        let again = nearmiss(&[command, &["corpora/actions", "corpora/demo", "-j", "3", "--format", "html"]].concat());
        assert_eq!(page, stdout(&again), "{command:?}: threads and order");
    }
}

#[test]
fn what_was_recorded_is_text() {
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
    let hostile = format!("</code><b onclick=x>\\u202e\\u001b[0m'&amp; {token}");
    let line = |text: &str| {
        format!(
            r#"{{"kind":"shell","text":"{text} {hostile}","session":"<i>s","cwd":"/home/otto/shop","actor":{{"name":"<u>otto","kind":"agent"}}}}"#
        )
    };
    let log = [line("rm -rf ~/ #"), line("rm -rf ./~/ #"), line("rm -ri ~/ #"), line("<frob")].join("\n");
    for command in COMMANDS {
        let page = page(command, &log);
        well_formed(&page);
        assert!(page.contains("&lt;/code&gt;&lt;b onclick=x&gt;\\u{202e}\\u{1b}[0m&#39;&amp;amp;"), "{page}");
        assert!(page.contains("&lt;u&gt;otto"), "{page}");
        assert!(!page.contains(&token) && page.contains(&"*".repeat(token.len())), "{page}");
        assert!(!page.contains(['\u{202e}', '\u{1b}']));
        assert!(!page.contains("<b ") && !page.contains("<u>") && !page.contains("<i>"));
    }
}

/// The style is the same on all pages, and left out here.
#[test]
fn the_page_of_the_demo() {
    let page = stdout(&nearmiss(&["replay", "corpora/demo", "--format", "html"]));
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let shown = regex::Regex::new("sha256-[A-Za-z0-9+/=]+").unwrap().replace(head, "sha256-HASH").into_owned() + rest;
    let rules = regex::Regex::new(r"\([0-9]+ rules, [0-9a-f]{16}\)").unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots/pages"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("demo", rules.replace(&shown, "(RULES)")));
}
