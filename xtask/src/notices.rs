//! `cargo xtask notices`: who wrote what goes into the program, and under which licences.
//!
//! Only what ends up in the binary is named: the normal dependencies of the command on Linux. What
//! builds it, generates code or tests it is not given to anybody.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::Path,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::{
    Workspace,
    command::{cargo, output},
};

/// What the command writes, and packages contain.
pub(crate) const FILE: &str = "THIRD-PARTY.md";

/// The package whose dependencies are meant.
const ROOT: &str = "daohu";
/// The systems that packages are made for; their dependencies are the same.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// How deep below a package's folder licences of what it bundles are looked for.
const DEPTH_MAX: usize = 3;
/// In how many lines from the top the holders of rights are named.
const HEAD_LINES: usize = 16;

/// A package that ends up in the binary.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
    licence: String,
    repository: String,
    authors: Vec<String>,
    folder: String,
}

/// Writes the file; with `--check`, compares and writes nothing.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let check = args.iter().any(|arg| arg == "--check");
    ensure!(args.len() == usize::from(check), "the only argument is --check");
    let arguments =
        ["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM];
    let metadata = output(&mut cargo(workspace, arguments))?;
    let text = text(&packages(&serde_json::from_slice(&metadata)?)?)?;
    let path = workspace.root.join(FILE);
    if !check {
        return fs::write(&path, text).context(FILE);
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed != text {
        bail!("{FILE} does not name the dependencies of today: run `cargo xtask notices`, commit");
    }
    Ok(())
}

/// The packages below the command, by name and version.
fn packages(metadata: &Value) -> anyhow::Result<Vec<Package>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = list(&metadata["packages"]);
    let by_id: BTreeMap<String, &Value> = all.iter().map(|p| (text(&p["id"]), p)).collect();
    let nodes = metadata.pointer("/resolve/nodes").map(list).unwrap_or_default();
    let needs: BTreeMap<String, Vec<String>> = nodes
        .iter()
        .map(|node| {
            let normal = |dep: &Value| list(&dep["dep_kinds"]).iter().any(|k| k["kind"].is_null());
            let deps = list(&node["deps"]);
            (
                text(&node["id"]),
                deps.iter().filter(|d| normal(d)).map(|d| text(&d["pkg"])).collect(),
            )
        })
        .collect();
    let root = all.iter().find(|package| package["name"] == ROOT);
    let mut waiting = vec![text(&root.with_context(|| format!("no package {ROOT}"))?["id"])];
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(id) = waiting.pop() {
        let Some(package) = by_id.get(&id).filter(|_| seen.insert(id.clone())) else { continue };
        let kinds = list(&package["targets"])
            .into_iter()
            .flat_map(|t| t.get("kind").map(list).unwrap_or_default());
        // Runs in the compiler, with all that it needs.
        if kinds.into_iter().any(|kind| kind == "proc-macro") {
            continue;
        }
        waiting.extend(needs.get(&id).cloned().unwrap_or_default());
        // Ours are under the licence of the repository.
        if package["source"].is_null() {
            continue;
        }
        let folder = text(&package["manifest_path"]);
        found.push(Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: text(&package["license"]).replace('/', " OR "),
            repository: text(&package["repository"]),
            authors: list(&package["authors"]).iter().map(text).collect(),
            folder: folder.trim_end_matches("Cargo.toml").to_owned(),
        });
    }
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found)
}

/// The file.
fn text(packages: &[Package]) -> anyhow::Result<String> {
    let mut page = String::from(HEAD);
    for package in packages {
        let Package { name, version, licence, repository, .. } = package;
        page += &format!("| {name} | {version} | {licence} | {repository} |\n");
    }
    // Texts that differ in nothing but the holders of rights are one, by their first package.
    let mut texts: Vec<(String, String, Vec<String>)> = Vec::new();
    for package in packages {
        let files = licences(Path::new(&package.folder), DEPTH_MAX)?;
        let called = format!("{} {}", package.name, package.version);
        if files.is_empty() {
            let authors = package.authors.join(", ");
            page += &format!("\n`{called}` brings no text; {} by {authors}.\n", package.licence);
        }
        for file in files {
            let (holders, body) = split(&file);
            let key = body.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = match holders.as_slice() {
                [] => called.clone(),
                holders => format!("{called}: {}", holders.join("; ")),
            };
            match texts.iter_mut().find(|(known, ..)| *known == key) {
                Some((.., users)) if users.contains(&line) => {}
                Some((.., users)) => users.push(line),
                None => texts.push((key, body, vec![line])),
            }
        }
    }
    for (number, (_, body, users)) in (1..).zip(&texts) {
        page += &format!("\n## Text {number}\n\n");
        users.iter().for_each(|user| page += &format!("- {user}\n"));
        page += &format!("\n~~~text\n{body}\n~~~\n");
    }
    Ok(page)
}

const HEAD: &str = "# Third-party software in `daohu`

What the program for Linux contains besides its own code. Written by `cargo xtask notices`; not edited
by hand. SQLite, in `libsqlite3-sys`, is in the public domain.

| name | version | licence | repository |
|---|---|---|---|
";

/// The texts of the licence files of a folder and of what it bundles, in the order of their paths.
fn licences(folder: &Path, depth: usize) -> anyhow::Result<Vec<String>> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| "the sources of a dependency: run `cargo fetch`")?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut texts = Vec::new();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            if is_licence(&name) || depth > 0 && !SKIPPED.contains(&name.as_str()) {
                texts.extend(licences(&entry.path(), depth.saturating_sub(1))?);
            }
        } else if is_licence(&name) {
            texts.push(String::from_utf8_lossy(&fs::read(entry.path())?).into_owned());
        }
    }
    Ok(texts)
}

/// Folders of what is not built in.
const SKIPPED: [&str; 6] = ["tests", "benches", "examples", "fuzz", "doc", "docs"];

/// True for a file that is a licence or a notice, and no source of that name.
fn is_licence(name: &str) -> bool {
    let upper = name.to_uppercase();
    let begins = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
    let is_source = [".RS", ".C", ".H", ".PY", ".TOML", ".JSON", ".SPDX"];
    begins.iter().any(|word| upper.starts_with(word))
        && !is_source.iter().any(|end| upper.ends_with(end))
}

/// The holders of rights that the top of a text names, and the text without them.
fn split(text: &str) -> (Vec<String>, String) {
    let (mut holders, mut body) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end().trim_start_matches('\u{feff}');
        let is_holder = line.trim_start().to_lowercase().starts_with("copyright (c)")
            || line.trim_start().starts_with("Copyright ©")
            || line.trim_start().starts_with("Copyright 20");
        if is_holder && number < HEAD_LINES {
            holders.push(line.trim().to_owned());
        } else {
            body.push(line);
        }
    }
    let body = body.join("\n");
    (holders, body.trim_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_ends_up_in_the_binary_is_named() {
        let package = |name: &str, kind: &str, source: Value| {
            json!({
                "id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0",
                "source": source, "manifest_path": format!("sources/{name}/Cargo.toml"),
                "targets": [{ "kind": [kind] }], "authors": [], "repository": null,
            })
        };
        let there = json!("a registry");
        let metadata = json!({
            "packages": [
                package("daohu", "bin", Value::Null),
                package("lib", "lib", there.clone()),
                package("deep", "lib", there.clone()),
                package("derive", "proc-macro", there.clone()),
                package("syn", "lib", there.clone()),
                package("cc", "lib", there.clone()),
                package("proptest", "lib", there),
            ],
            "resolve": { "nodes": [
                { "id": "daohu", "deps": [
                    { "pkg": "lib", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "derive", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "cc", "dep_kinds": [{ "kind": "build" }] },
                    { "pkg": "proptest", "dep_kinds": [{ "kind": "dev" }] },
                ] },
                { "id": "lib", "deps": [
                    { "pkg": "deep", "dep_kinds": [{ "kind": "dev" }, { "kind": null }] },
                ] },
                { "id": "derive", "deps": [{ "pkg": "syn", "dep_kinds": [{ "kind": null }] }] },
            ] },
        });
        let packages = packages(&metadata).unwrap();
        let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["deep", "lib"]);
        assert_eq!(packages[0].licence, "MIT OR Apache-2.0");
        assert_eq!(packages[0].folder, "sources/deep/");
    }

    #[test]
    fn texts_that_differ_in_their_holders_are_one() {
        let (holders, body) = split("MIT\n\nCopyright (c) 2014 A\nCopyright 2015 B \n\nMay\n");
        assert_eq!(holders, ["Copyright (c) 2014 A", "Copyright 2015 B"]);
        assert_eq!(body, "MIT\n\n\nMay");
        // What the appendix of a licence tells to write is part of it.
        let long = format!("{}Copyright (c) you", "line\n".repeat(HEAD_LINES));
        assert_eq!(split(&long), (Vec::new(), long));
    }

    #[test]
    fn licences_of_what_is_bundled_are_found() {
        let folder = std::env::temp_dir().join(format!("daohu-notices-{}", std::process::id()));
        let inner = folder.join("c/library");
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir_all(folder.join("tests")).unwrap();
        fs::write(folder.join("LICENSE-MIT"), "one").unwrap();
        fs::write(folder.join("license.rs"), "source").unwrap();
        fs::write(folder.join("tests/LICENSE"), "of a test's data").unwrap();
        fs::write(inner.join("COPYING"), "two").unwrap();
        let found = licences(&folder, DEPTH_MAX).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, ["one", "two"]);
    }
}
