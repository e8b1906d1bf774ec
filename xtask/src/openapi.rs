//! `cargo xtask openapi` and `schema`: the description of the HTTP interface and of packs, committed beside the code.

use std::{ffi::OsString, fs};

use anyhow::{Context, bail, ensure};

use crate::{
    Workspace,
    command::{cargo, output},
};

/// A document that the program prints.
struct Printed {
    file: &'static str,
    /// What prints it.
    arguments: &'static [&'static str],
    /// What writes it here.
    task: &'static str,
}

/// Writes the description of the HTTP interface; with `--check`, compares and writes nothing.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let own = Printed { file: "api/openapi.json", arguments: &["openapi"], task: "openapi" };
    own.keep(workspace, args)
}

/// Writes the schema of packs; with `--check`, compares and writes nothing.
pub(crate) fn schema(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let (file, arguments) = ("policies/pack.schema.json", &["policy", "schema"]);
    Printed { file, arguments, task: "schema" }.keep(workspace, args)
}

impl Printed {
    fn keep(&self, workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
        let Self { file, arguments, task } = *self;
        let check = args.iter().any(|arg| arg == "--check");
        ensure!(args.len() == usize::from(check), "the only argument is --check");
        let command = ["run", "-q", "--bin", "daohu", "--"].iter().chain(arguments);
        let printed = output(&mut cargo(workspace, command))?;
        let path = workspace.root.join(file);
        if !check {
            let written = path.parent().map_or(Ok(()), fs::create_dir_all);
            return written
                .and_then(|()| fs::write(&path, printed))
                .with_context(|| file.to_owned());
        }
        let committed = fs::read(&path).with_context(|| {
            format!("{file}: run `cargo xtask {task}` and commit what it writes")
        })?;
        if committed != printed {
            let line = first_difference(&committed, &printed);
            bail!(
                "{file}:{line} is not what the code says: run `cargo xtask {task}`, look, commit"
            );
        }
        Ok(())
    }
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
