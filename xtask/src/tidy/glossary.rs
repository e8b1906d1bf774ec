//! `docs/glossary.md`: every field and every code list stands in it.

use regex_lite::Regex;

use super::{File, Finding};

const GLOSSARY: &str = "docs/glossary.md";
const FIELDS: &str = "crates/app/src/sheet/columns/";
const LISTS: &str = "policies/national/codes.toml";

/// Findings in the sources of the glossary: that is where the new line was written.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let file = |path| files.iter().find(|file| file.path == path);
    let Some(glossary) = file(GLOSSARY) else { return Vec::new() };
    let field = r#"\bcolumn\(\s*"([^"]+)",\s*"([^"]+)""#;
    let mut findings = Vec::new();
    let fields = files.iter().filter(|file| file.path.starts_with(FIELDS));
    findings.extend(fields.flat_map(|fields| missing(glossary, fields, field)));
    let list = r#"\[\[list\]\]\s*name = "([^"]+)""#;
    findings.extend(file(LISTS).into_iter().flat_map(|lists| missing(glossary, lists, list)));
    findings
}

/// What the pattern finds in `source` and no row of the glossary begins with.
fn missing(glossary: &File, source: &File, pattern: &str) -> Vec<Finding> {
    let Ok(pattern) = Regex::new(pattern) else { return Vec::new() };
    let mut findings = Vec::new();
    for found in pattern.captures_iter(&source.text) {
        let Some(whole) = found.get(0) else { continue };
        let row = match (found.get(1), found.get(2)) {
            (Some(header), Some(name)) => format!("| {} | `{}` |", header.as_str(), name.as_str()),
            (Some(name), None) => format!("| {} |", name.as_str()),
            _ => continue,
        };
        if !glossary.text.lines().any(|line| line.starts_with(&row)) {
            let before = source.text.get(..whole.start()).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            findings.push(source.finding(line, format!("add a row to {GLOSSARY}: {row} …")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{check, file};

    fn found(fields: &str, lists: &str) -> Vec<String> {
        let files = [
            file("docs/glossary.md", "| 户编号 | `no` | The number. |\n| 性别 | Sex | 01 |\n"),
            file("crates/app/src/sheet/columns/x.rs", &format!("//! C.\n{fields}\n")),
            file("policies/national/codes.toml", lists),
        ];
        check(&files).into_iter().map(|f| format!("{}:{}: {}", f.path, f.line, f.advice)).collect()
    }

    #[test]
    fn every_field_and_list_has_its_row() {
        let list = "[[list]]\nname = \"性别\"\n";
        assert!(found("column(\"户编号\", \"no\", Key),", list).is_empty());
        assert_eq!(
            found("column(\n  \"户编号\",\n  \"number\", Key),", list),
            [
                "crates/app/src/sheet/columns/x.rs:2: add a row to docs/glossary.md: | 户编号 | `number` | …"
            ]
        );
        assert_eq!(
            found("", "\n[[list]]\nname = \"民族\"\n"),
            ["policies/national/codes.toml:2: add a row to docs/glossary.md: | 民族 | …"]
        );
    }
}
