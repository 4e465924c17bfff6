//! Texts with wildcards.

/// A text in which `*` stands for any characters, also none, and `?` for exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Exactly(char),
    One,
    Any,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let token = |character| match character {
            '*' => Token::Any,
            '?' => Token::One,
            other => Token::Exactly(other),
        };
        Self(text.chars().map(token).collect())
    }

    /// A pattern without wildcards.
    pub(super) fn exactly(text: &str) -> Self {
        Self(text.chars().map(Token::Exactly).collect())
    }

    /// Whether it stands for all of `text`. Takes at most as many steps as the product of both lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (pattern, text): (_, Vec<char>) = (&self.0, text.chars().collect());
        let (mut at, mut seen) = (0, 0);
        // Where the last `*` is, and how much of the text it stands for the end of.
        let mut star: Option<(usize, usize)> = None;
        while seen < text.len() {
            match pattern.get(at) {
                Some(Token::Any) => {
                    star = Some((at, seen));
                    at += 1;
                }
                Some(token) if *token == Token::One || *token == Token::Exactly(text[seen]) => {
                    at += 1;
                    seen += 1;
                }
                _ => {
                    let Some((star_at, stood_to)) = star else { return false };
                    star = Some((star_at, stood_to + 1));
                    at = star_at + 1;
                    seen = stood_to + 1;
                }
            }
        }
        pattern[at..].iter().all(|rest| *rest == Token::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_say() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("a**", "a", true),
            ("?", "é", true),
            ("*aab", "aaaaaaaaaaaaaaab", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern:?} {text:?}");
        }
        assert!(Pattern::exactly("a*").matches("a*") && !Pattern::exactly("a*").matches("ab"));
        let (pattern, text) = ("*a".repeat(5_000), "a".repeat(4_999));
        assert!(!Pattern::new(&pattern).matches(&text), "and in time that is no danger");
    }
}
