//! Makefiles and justfiles: targets, what they need, and the lines they run.

use super::MAX_LINES;

/// Recipes call each other only so deep.
const MAX_DEPTH: usize = 8;

/// The lines that the wanted targets of a makefile or justfile run, those they depend on first.
pub(super) fn recipe(text: &str, wanted: &[String]) -> String {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut rules: Vec<(Vec<String>, Vec<String>, Vec<String>)> = Vec::new();
    for line in text.lines().take(MAX_LINES) {
        let indented = line.starts_with([' ', '\t']);
        if indented {
            if let Some((.., lines)) = rules.last_mut() {
                lines.push(line.trim_start().trim_start_matches(['@', '-', '+']).to_owned());
            }
        } else if let Some((name, value)) = assignment(line) {
            variables.push((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
        } else if let Some((targets, needs)) = line.split_once(':').filter(|_| !line.starts_with(['#', '.'])) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (needs, inline) = needs.split_once(';').map_or((needs, None), |(needs, line)| (needs, Some(line)));
            rules.push((words(targets), words(needs), inline.into_iter().map(str::to_owned).collect()));
        }
    }
    let set = |name: &str| wanted.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    let mut asked: Vec<&str> = wanted.iter().filter(|word| !word.contains('=')).map(|word| &**word).collect();
    if asked.is_empty() {
        asked.extend(rules.first().and_then(|(targets, ..)| targets.first()).map(|target| &**target));
    }
    let mut lines = Vec::new();
    for target in asked {
        collect(&rules, target, 0, &mut lines);
    }
    let mut text = lines.join("\n");
    for (name, value) in BUILT_IN {
        if !variables.iter().any(|(own, _)| own == name) {
            variables.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    for (name, value) in &variables {
        let value = set(name).unwrap_or_else(|| value.clone());
        for mark in
            [format!("$({name})"), format!("${{{name}}}"), format!("{{{{{name}}}}}"), format!("{{{{ {name} }}}}")]
        {
            text = text.replace(&mark, &value);
        }
    }
    text.replace("$$", "$")
}

/// What make itself knows.
const BUILT_IN: &[(&str, &str)] = &[
    ("CC", "cc"),
    ("CXX", "c++"),
    ("LD", "ld"),
    ("AR", "ar"),
    ("AS", "as"),
    ("FC", "f77"),
    ("RM", "rm -f"),
    ("MAKE", "make"),
    ("SHELL", "/bin/sh"),
    ("CURDIR", "."),
    ("CFLAGS", ""),
    ("CXXFLAGS", ""),
    ("CPPFLAGS", ""),
    ("LDFLAGS", ""),
    ("LDLIBS", ""),
];

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', ' ']).trim().trim_start_matches("export ");
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then(|| (name, value.trim()))
}

fn collect(rules: &[(Vec<String>, Vec<String>, Vec<String>)], target: &str, depth: usize, lines: &mut Vec<String>) {
    if depth > MAX_DEPTH || lines.len() > MAX_LINES {
        return;
    }
    let Some((_, needs, own)) = rules.iter().find(|(targets, ..)| targets.iter().any(|name| name == target)) else {
        return;
    };
    for need in needs.iter().take(32) {
        collect(rules, need, depth + 1, lines);
    }
    lines.extend(own.iter().cloned());
}

/// The lines of one recipe of a justfile; words behind its name are its parameters.
pub(super) fn just(text: &str, wanted: &[String]) -> String {
    let Some(name) = wanted.iter().find(|word| !word.contains('=')) else { return recipe(text, wanted) };
    let alias = |line: &str| {
        let (short, target) = line.strip_prefix("alias ")?.split_once(":=")?;
        (short.trim() == name).then(|| target.trim().to_owned())
    };
    let name = text.lines().find_map(alias).unwrap_or_else(|| name.clone());
    let head =
        text.lines().find_map(|line| line.split_once(':').filter(|(head, _)| head.split(' ').next() == Some(&name)));
    let mut lines = recipe(text, std::slice::from_ref(&name));
    let given = wanted.iter().skip_while(|word| word.contains('=')).skip(1);
    for (parameter, value) in head.map_or("", |(head, _)| head).split(' ').skip(1).zip(given) {
        let parameter = parameter.trim_start_matches(['+', '*', '$']).split('=').next().unwrap_or_default();
        for mark in [format!("{{{{{parameter}}}}}"), format!("{{{{ {parameter} }}}}")] {
            lines = lines.replace(&mark, value);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{just, recipe};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn targets_bring_what_they_need() {
        let text = "NS ?= a\nall: b\n\t@echo $(NS) \\\n\t  x\nb:\n\t-rm $$f\n";
        assert_eq!(recipe(text, &[]), "rm $f\necho a \\\nx");
        assert_eq!(recipe(text, &words("b NS=z")), "rm $f");
    }

    #[test]
    fn recipes_take_words() {
        let text = "alias w := wipe\nwipe env db=\"x\":\n    drop {{env}} {{ db }}\n";
        assert_eq!(just(text, &words("w prod shop")), "drop prod shop");
    }
}
