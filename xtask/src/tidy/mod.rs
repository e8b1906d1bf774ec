//! `cargo xtask tidy`: the house rules that a compiler does not know, checked on the text.
//!
//! A rule is a function from a file to its findings; each has tests that see it fail. A finding says
//! where it is and what to do.

mod code;
mod coverage;
mod glossary;
mod layers;
mod paths;
mod source;
mod text;

use std::{ffi::OsString, fs, process::Command};

use anyhow::{Context, bail, ensure};

use crate::{Workspace, command::output};
use source::Source;

/// Here stand the words that the rules forbid, so the rules about words pass it over.
const OWN: &str = "xtask/src/tidy/";

/// A text file of the repository.
struct File {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    advice: String,
}

impl File {
    fn finding(&self, line: usize, advice: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, advice: advice.into() }
    }

    /// The file's own name.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// True for code that only tests run.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.name() == "tests.rs"
    }
}

/// Prints every finding; one or more is an error.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    ensure!(args.is_empty(), "it takes no arguments");
    let files = files(workspace)?;
    let findings = check(&files);
    for Finding { path, line, advice } in &findings {
        println!("{path}:{line}: {advice}");
    }
    if !findings.is_empty() {
        bail!("{} findings in {} files", findings.len(), files.len());
    }
    eprintln!("{} files are tidy", files.len());
    Ok(())
}

fn check(files: &[File]) -> Vec<Finding> {
    let slices = layers::slices(files);
    let mut findings = coverage::check(files);
    findings.extend(glossary::check(files));
    for file in files {
        findings.extend(text::check(file));
        if file.path.ends_with(".rs") {
            let source = Source::new(&file.text);
            findings.extend(code::check(file, &source));
            findings.extend(layers::check(file, &source, &slices));
        }
        if file.name() == "Cargo.toml" {
            findings.extend(layers::check_manifest(file));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// What git tracks, and what it would track: a rule is best learned before the commit.
fn files(workspace: &Workspace) -> anyhow::Result<Vec<File>> {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root);
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = String::from_utf8(output(&mut git)?).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        // Deleted and not yet committed, or not a text: no rule speaks of it.
        let Ok(bytes) = fs::read(workspace.root.join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes)
            && !text.contains('\0')
        {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// The lines that a check finds in a text, as `line: advice`.
#[cfg(test)]
fn found(path: &str, text: &str) -> Vec<String> {
    // A slice exists through its files.
    let files = [file("crates/app/src/other/mod.rs", "//! Another slice.\n"), file(path, text)];
    let findings = check(&files).into_iter();
    findings.map(|finding| format!("{}: {}", finding.line, finding.advice)).collect()
}
