//! Rust text taken apart: what is code, and what stands in string literals.

/// A source file without its comments.
pub(super) struct Source {
    /// The text with comments and the insides of literals blanked, line by line as it was.
    pub(super) code: String,
    /// The string literals.
    pub(super) literals: Vec<Literal>,
    /// The first line of the module of tests at the end, or one past the last line.
    pub(super) tests: usize,
}

/// A string literal.
pub(super) struct Literal {
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// What stands between the quotes, escapes and all.
    pub(super) text: String,
}

impl Source {
    /// Reads text that compiles; other text may come out wrong, but it does come out.
    pub(super) fn new(text: &str) -> Self {
        let mut source =
            Self { code: String::with_capacity(text.len()), literals: vec![], tests: 0 };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = match Piece::at(rest, source.code.chars().next_back()) {
                Piece::Comment(length) => source.blank(rest, length),
                Piece::Literal { open, inside, close } => {
                    let after = source.copy(rest, open);
                    let line = source.line();
                    let text = after.get(..inside).unwrap_or_default().to_owned();
                    source.literals.push(Literal { line, text });
                    let after = source.blank(after, inside);
                    source.copy(after, close)
                }
                Piece::Character(length) => source.blank(rest, length),
                Piece::Code => source.copy(rest, first.len_utf8()),
            };
        }
        let is_tests = |line: &str| line.starts_with("#[cfg(test)]");
        let lines = source.code.lines().count();
        source.tests = source.code.lines().position(is_tests).unwrap_or(lines) + 1;
        source
    }

    /// The lines of code with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    /// The lines of code that ship.
    pub(super) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().take_while(|(line, _)| *line < self.tests)
    }

    fn line(&self) -> usize {
        self.code.matches('\n').count() + 1
    }

    fn copy<'t>(&mut self, text: &'t str, length: usize) -> &'t str {
        let (taken, rest) = text.split_at_checked(length).unwrap_or((text, ""));
        self.code.push_str(taken);
        rest
    }

    fn blank<'t>(&mut self, text: &'t str, length: usize) -> &'t str {
        let (taken, rest) = text.split_at_checked(length).unwrap_or((text, ""));
        self.code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest
    }
}

/// What a text begins with; lengths in bytes.
enum Piece {
    Comment(usize),
    Literal { open: usize, inside: usize, close: usize },
    Character(usize),
    Code,
}

impl Piece {
    fn at(text: &str, before: Option<char>) -> Self {
        if text.starts_with("//") {
            return Self::Comment(text.find('\n').unwrap_or(text.len()));
        }
        if text.starts_with("/*") {
            return Self::Comment(block_comment(text));
        }
        if let Some(after) = text.strip_prefix('"') {
            return Self::Literal { open: 1, inside: until_quote(after, '"'), close: 1 };
        }
        if let Some(after) = text.strip_prefix('\'') {
            return character(after);
        }
        let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if !in_word && let Some(literal) = raw(text) { literal } else { Self::Code }
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut length) = (0_usize, 0);
    while let Some(rest) = text.get(length..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, length) = (depth + 1, length + 2);
        } else if rest.starts_with("*/") {
            (depth, length) = (depth.saturating_sub(1), length + 2);
            if depth == 0 {
                return length;
            }
        } else {
            length += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Where the closing quote stands, past what is escaped.
fn until_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// A character, unless the quote begins a lifetime.
fn character(after: &str) -> Piece {
    let mut chars = after.chars();
    let first = chars.next();
    if first == Some('\\') || chars.next() == Some('\'') {
        return Piece::Character(until_quote(after, '\'') + 2);
    }
    Piece::Code
}

/// `r"…"`, `r#"…"#`, also with `b` or `c` before.
fn raw(text: &str) -> Option<Piece> {
    let after = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let hashes: String = after.chars().take_while(|c| *c == '#').collect();
    let inside = after.strip_prefix(&hashes)?.strip_prefix('"')?;
    let end = format!("\"{hashes}");
    let length = inside.find(&end).unwrap_or(inside.len());
    Some(Piece::Literal { open: text.len() - inside.len(), inside: length, close: end.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::new(text).code
    }

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a /* b /* c\n*/ */ d"), "a          \n      d");
        assert_eq!(code(r#"f("a\"b") // "c""#), r#"f("    ")       "#);
        assert_eq!(code("'\"' 'a 'x' '\\''"), "    'a         ");
        assert_eq!(code("户 /*户*/"), "户      ");
    }

    #[test]
    fn literals_come_with_their_lines() {
        let source =
            Source::new("let a = \"one\";\nlet b = r#\"two \"2\"\nlines\"#; // \"no\"\nbr\"x\"");
        let literals: Vec<(usize, &str)> =
            source.literals.iter().map(|l| (l.line, l.text.as_str())).collect();
        assert_eq!(literals, [(1, "one"), (2, "two \"2\"\nlines"), (4, "x")]);
        assert!(source.code.ends_with("\nbr\" \""));
    }

    #[test]
    fn the_module_of_tests_is_found() {
        let source = Source::new("a();\n\n#[cfg(test)]\nmod tests {}\n");
        assert_eq!(source.tests, 3);
        assert_eq!(source.product_lines().count(), 2);
        assert_eq!(Source::new("a();\n").tests, 2);
    }
}
