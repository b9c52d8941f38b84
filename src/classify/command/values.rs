//! Options with a value that a program's spec does not list: a table made by `scripts/option-values.mjs`.

use std::sync::LazyLock;

const TABLE: &str = include_str!("values.txt");

/// Programs, sorted, each with its options. Most command lines list all they use, so it is cut into lines when first asked.
static PROGRAMS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect()
});

/// Whether the option of the program takes the next word as its value.
pub(super) fn takes_one(program: &str, option: &str) -> bool {
    option.starts_with("--")
        && PROGRAMS
            .binary_search_by(|(name, _)| (*name).cmp(program))
            .ok()
            .and_then(|at| PROGRAMS.get(at))
            .is_some_and(|(_, options)| options.split(' ').any(|known| known == option))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_sorted_for_the_search() {
        assert!(PROGRAMS.len() >= 40 && PROGRAMS.is_sorted());
    }

    #[test]
    fn options_of_one_program_are_not_those_of_another() {
        assert!(takes_one("helm", "--kube-version"));
        assert!(!takes_one("helm", "--python-version"));
        assert!(!takes_one("nobody", "--name"));
    }
}
