//! The paths that a piece of Rust code names, `use` trees written out.

use regex_lite::Regex;

use super::source::Source;

/// Each path with the line on which it begins: `crate::a::b`, `daohu_db::Tx`.
pub(super) fn paths(source: &Source) -> Vec<(usize, String)> {
    let (Ok(uses), Ok(inline)) = (Regex::new(r"\buse\s+([^;]+);"), Regex::new(r"\b\w+(?:::\w+)+"))
    else {
        return Vec::new();
    };
    let line = |at| source.code.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
    let mut paths = Vec::new();
    for found in inline.find_iter(&source.code) {
        paths.push((line(found.start()), found.as_str().to_owned()));
    }
    for found in uses.captures_iter(&source.code) {
        let Some(tree) = found.get(1) else { continue };
        let written = expand("", tree.as_str());
        paths.extend(written.into_iter().map(|path| (line(tree.start()), path)));
    }
    paths
}

/// Writes out a `use` tree.
fn expand(prefix: &str, tree: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for branch in branches(tree) {
        let branch = branch.trim();
        match branch.split_once('{') {
            Some((stem, rest)) => {
                let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
                paths.extend(expand(&format!("{prefix}{}", stem.trim()), inner));
            }
            None if branch.is_empty() => {}
            None => {
                let name = branch.split(" as ").next().unwrap_or_default();
                paths.push(format!("{prefix}{name}").trim_end_matches("::self").to_owned());
            }
        }
    }
    paths
}

/// Splits at the commas that stand in no braces.
fn branches(tree: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    tree.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_written_out() {
        let tree = "crate::{a::{self, b::{C, d}}, e as f,\n g::*}";
        let paths = ["crate::a", "crate::a::b::C", "crate::a::b::d", "crate::e", "crate::g::*"];
        assert_eq!(expand("", tree), paths);
    }

    #[test]
    fn paths_come_with_their_lines() {
        let source = Source::new("use a::{b};\nfn f() {\n  c::d::e(\"x::y\"); // z::w\n}\n");
        assert_eq!(paths(&source), [(3, "c::d::e".to_owned()), (1, "a::b".to_owned())]);
    }
}
