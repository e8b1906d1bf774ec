//! `cargo xtask openapi`: the description of the HTTP interface, committed beside the code.

use std::{ffi::OsString, fs};

use anyhow::{Context, bail, ensure};

use crate::{
    Workspace,
    command::{cargo, output},
};

const FOLDER: &str = "api";
const FILE: &str = "api/openapi.json";

/// Writes the document that the command prints; with `--check`, compares and writes nothing.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let check = args.iter().any(|arg| arg == "--check");
    ensure!(args.len() == usize::from(check), "the only argument is --check");
    let printed = output(&mut cargo(workspace, ["run", "-q", "--bin", "daohu", "--", "openapi"]))?;
    let path = workspace.root.join(FILE);
    if !check {
        let written = fs::create_dir_all(workspace.root.join(FOLDER));
        return written.and_then(|()| fs::write(&path, printed)).with_context(|| FILE.to_owned());
    }
    let committed = fs::read(&path)
        .with_context(|| format!("{FILE}: run `cargo xtask openapi` and commit what it writes"))?;
    if committed != printed {
        let line = first_difference(&committed, &printed);
        bail!("{FILE}:{line} is not what the code says: run `cargo xtask openapi`, look, commit");
    }
    Ok(())
}

/// The number of the first line that differs.
fn first_difference(old: &[u8], new: &[u8]) -> usize {
    let pairs = old.split(|byte| *byte == b'\n').zip(new.split(|byte| *byte == b'\n'));
    pairs.take_while(|(old, new)| old == new).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference(b"a\nb\nc", b"a\nB\nc"), 2);
        assert_eq!(first_difference(b"a\nb", b"a\nb\nc"), 3);
    }
}
