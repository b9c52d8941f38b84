//! Fenced blocks in Markdown that a model wrote.

/// The inside of every fenced block whose language is wanted, in order; a block without an end is not one.
pub(crate) fn fenced(text: &str, mut wanted: impl FnMut(&str) -> bool) -> Vec<&str> {
    let mut blocks = Vec::new();
    // The language of the block that is open, and where its inside begins.
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(rest) = line.trim_end().strip_prefix("```") else { continue };
        match open.take() {
            Some((language, from)) => {
                if wanted(language) {
                    blocks.push(text.get(from..start).unwrap_or_default().trim_end_matches(['\n', '\r']));
                }
            }
            None => open = Some((rest.trim(), at)),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::fenced;

    #[test]
    fn blocks_have_a_language_and_an_end() {
        let text = "a\n```bash\nls\npwd\n```\nb\n```\nx\n```\n```bash\nno end";
        assert_eq!(fenced(text, |language| language == "bash"), ["ls\npwd"]);
        assert_eq!(fenced(text, |_| true), ["ls\npwd", "x"]);
        assert_eq!(fenced("```\n```", |_| true), [""]);
    }
}
