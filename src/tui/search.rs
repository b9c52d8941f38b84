//! Finding something in a list: contains, fuzzy, or without. Case does not matter.

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// As it was typed.
    pub(super) typed: String,
    wanted: Vec<char>,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Contains,
    /// All letters, in this order.
    Fuzzy,
    Without,
}

impl Search {
    /// `None` when nothing is looked for.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        let (how, wanted) = match typed.chars().next()? {
            '~' => (How::Fuzzy, &typed[1..]),
            '!' => (How::Without, &typed[1..]),
            _ => (How::Contains, typed),
        };
        let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
        (!wanted.is_empty()).then(|| Self { typed: typed.to_owned(), wanted, how })
    }

    /// Whether any of the texts is what is looked for; with `!`, none of them.
    pub(super) fn finds<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        let mut texts = texts.into_iter();
        match self.how {
            How::Contains => texts.any(|text| self.is_in(text)),
            How::Without => !texts.any(|text| self.is_in(text)),
            How::Fuzzy => texts.any(|text| {
                let mut letters = text.chars().flat_map(char::to_lowercase);
                self.wanted.iter().all(|wanted| letters.any(|letter| letter == *wanted))
            }),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        letters.windows(self.wanted.len()).any(|window| window == self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[track_caller]
    fn check(typed: &str, text: &str, found: bool) {
        assert_eq!(Search::parse(typed).unwrap().finds([text]), found);
    }

    #[test]
    fn the_three_ways() {
        check("drop", "DROP TABLE x", true);
        check("drip", "DROP TABLE x", false);
        check("~dtx", "DROP TABLE x", true);
        check("~xtd", "DROP TABLE x", false);
        check("!drop", "DROP TABLE x", false);
        check("!drop", "rm -rf x", true);
        check("straße", "STRAßE", true);
        assert_eq!(Search::parse(""), None);
        assert_eq!(Search::parse("~"), None);
    }
}
