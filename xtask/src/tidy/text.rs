//! What holds for every text file of the repository.

use regex_lite::Regex;

use super::{File, Finding, OWN};

/// The examples of GB 11643 itself, which stand in every explanation of the check character.
const PUBLISHED: [&str; 2] = ["11010519491231002X", "440524188001010014"];

/// The prefix of made-up resident ID numbers: no area has it.
const MADE_UP: &str = "99";

/// Files that tell a package manager where to download from.
const SETTINGS: [&str; 7] =
    ["config.toml", ".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf", "uv.toml", ".cargo-config"];

/// Written by tools, from elsewhere.
const LOCK: &str = "Cargo.lock";

/// Findings in any text.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        findings.push(file.finding(last, "end the last line with a newline"));
    }
    if file.name() == LOCK || file.path.starts_with(OWN) {
        return findings;
    }
    findings.extend(words(file));
    for (number, line) in (1..).zip(file.text.lines()) {
        let advice =
            "a resident ID number: made-up ones begin with 99, real ones have no place here";
        if id_numbers(line).any(|found| !is_harmless(found)) {
            findings.push(file.finding(number, advice));
        }
        if file.name() == "package-lock.json" && !is_public(line) {
            findings.push(file.finding(number, HOST));
        }
    }
    findings
}

const HOST: &str =
    "a private package host: name the public registry, keep mirrors in your own settings";

fn words(file: &File) -> Vec<Finding> {
    let mut rules = vec![
        (r"\b(TODO|FIXME)\b", "do it now, or write it down where work is planned"),
        (
            r#"(^|//|[\s"'`(=:,<])/(root|home|work|Users)/"#,
            "a path of one machine: make it relative to the repository",
        ),
        (r"https?://[^/\s]*(artifactory|nexus|mirror|proxy)[^/\s]*", HOST),
    ];
    if SETTINGS.contains(&file.name()) {
        rules.push((r"(?i)(registry|registries|index-url|replace-with|\[source)", HOST));
    }
    let mut findings = Vec::new();
    for (pattern, advice) in rules {
        let Ok(pattern) = Regex::new(pattern) else { continue };
        let lines = (1..).zip(file.text.lines()).filter(|(_, line)| pattern.is_match(line));
        findings.extend(lines.map(|(line, _)| file.finding(line, advice)));
    }
    findings
}

/// Words of 17 digits and a check character, alone or as the stem of a disability certificate's
/// number (20 or 22 characters). Decimals are measurements.
fn id_numbers(line: &str) -> impl Iterator<Item = &str> {
    const STEM: usize = 17;
    const LENGTHS: [usize; 3] = [18, 20, 22];
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_');
    words.filter(|word| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let ends = |b: u8| b.is_ascii_digit() || b"XxB".contains(&b);
        LENGTHS.contains(&word.len()) && digits >= STEM && word.bytes().skip(STEM).all(ends)
    })
}

fn is_harmless(number: &str) -> bool {
    number.starts_with(MADE_UP) || PUBLISHED.iter().any(|known| known.eq_ignore_ascii_case(number))
}

/// True unless the line says that a package comes from elsewhere than npm's own registry.
fn is_public(line: &str) -> bool {
    line.trim()
        .strip_prefix("\"resolved\": \"")
        .is_none_or(|from| from.starts_with("https://registry.npmjs.org/"))
}

#[cfg(test)]
mod tests {
    use super::super::found;

    #[test]
    fn lines_end() {
        assert_eq!(found("a.md", "one\ntwo"), ["2: end the last line with a newline"]);
        assert!(found("a.md", "").is_empty());
    }

    #[test]
    fn work_is_not_left_lying() {
        assert_eq!(found("a.toml", "a = 1 # TODO: b\n").len(), 1);
        assert_eq!(found("a.rs", "//! A.\n// FIXME\n").len(), 1);
        assert!(found("a.md", "TODOS, todo\n").is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for text in ["cd /home/me", "\"/root/x\"", "file:///work/a", "/Users/me"] {
            assert_eq!(found("a.md", &format!("{text}/x\n")).len(), 1, "{text}");
        }
        assert!(found("a.md", "https://example.org/work/a docs/home/x ./root/x\n").is_empty());
    }

    #[test]
    fn package_hosts_are_public() {
        assert_eq!(found("deny.toml", "a = \"https://mirror.example.org/crates\"\n").len(), 1);
        assert_eq!(found(".cargo/config.toml", "[source.crates-io]\n").len(), 1);
        assert!(found(".cargo/config.toml", "[alias]\n").is_empty());
        let lock = |host| format!("      \"resolved\": \"https://{host}/vue/-/vue-3.5.0.tgz\",\n");
        assert!(found("web/package-lock.json", &lock("registry.npmjs.org")).is_empty());
        assert_eq!(found("web/package-lock.json", &lock("npm.example.org")).len(), 1);
    }

    #[test]
    fn id_numbers_are_made_up() {
        assert_eq!(found("a.csv", "500242199001010011\n").len(), 1);
        assert_eq!(found("a.rs", "//! A.\nf(\"52010219900101001X\")\n").len(), 1);
        assert_eq!(found("a.csv", "户1,50024219900101001X43B1\n").len(), 1);
        for harmless in [
            "990102199001010014",
            "11010519491231002x",
            "0.123456789012345678",
            "108.123456789012345",
            "5002421990010100112",
            "a50024219900101001",
        ] {
            assert!(found("a.csv", &format!("{harmless}\n")).is_empty(), "{harmless}");
        }
    }
}
