//! The tasks of a Rakefile: the Ruby between `task :name do` and its `end`, with what the task needs first.

/// Tasks need each other only so deep.
const MAX_DEPTH: usize = 8;

/// The Ruby code of the tasks that are asked for; nothing when the file has none of them.
pub(super) fn tasks(text: &str, wanted: &[String]) -> Option<String> {
    let mut code = String::new();
    let asked: Vec<&str> = wanted.iter().map(|word| word.split('[').next().unwrap_or(word)).collect();
    let asked = if asked.is_empty() { vec!["default"] } else { asked };
    for name in asked {
        collect(text, name, 0, &mut code);
    }
    (!code.is_empty()).then_some(code)
}

fn collect(text: &str, wanted: &str, depth: usize, code: &mut String) {
    if depth > MAX_DEPTH {
        return;
    }
    let own = wanted.rsplit(':').next().unwrap_or(wanted);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(rest) = line.trim_start().strip_prefix("task ").or_else(|| line.trim_start().strip_prefix("file "))
        else {
            continue;
        };
        let mut names = names(rest);
        if names.next().as_deref() != Some(own) {
            continue;
        }
        for need in names.collect::<Vec<_>>() {
            collect(text, &need, depth + 1, code);
        }
        if !rest.contains(" do") {
            continue;
        }
        for line in lines.by_ref() {
            if line.trim() == "end" && line.len() - line.trim_start().len() == indent {
                break;
            }
            code.push_str(line);
            code.push('\n');
        }
    }
}

/// `name: [:first, :second] do`, `:name => :first do`, `"name"`: the name and what stands behind it.
fn names(head: &str) -> impl Iterator<Item = String> {
    let head = head.split(" do").next().unwrap_or(head);
    let found = head.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '-'));
    found.filter(|word| !word.is_empty() && *word != "environment").map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_stands_behind_what_it_needs() {
        let text = "task a: [:b] do\n  sh 'x'\nend\ntask :b do\n  sh 'y'\nend\ntask :c do\n  sh 'z'\nend\n";
        assert_eq!(tasks(text, &["a".to_owned()]).as_deref(), Some("  sh 'y'\n  sh 'x'\n"));
        assert_eq!(tasks(text, &["d".to_owned()]), None);
    }
}
