//! Finding PostgreSQL's server programs, or installing them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::command::{is_there, output, succeed};

/// What a cluster needs; client packages bring some of them, but never all.
const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// The folders where packages put them, off the path.
const ROOTS: [&str; 2] = ["/usr/lib/postgresql", "/opt/homebrew/opt"];

/// The folder with the server programs. Root on Debian or Ubuntu gets them installed.
pub(super) fn find_or_install() -> anyhow::Result<PathBuf> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    if !is_root()? || !is_there(&mut Command::new("apt-get")) {
        bail!(
            "the tests need PostgreSQL's server programs ({}), version 13 or later. Install them: \
             `sudo apt-get install postgresql` (Debian, Ubuntu), `sudo dnf install \
             postgresql-server` (Fedora), `brew install postgresql` (macOS); or name a server of \
             your own: {}=postgres://user@host/database",
            NEEDED.join(", "),
            super::VARIABLE,
        );
    }
    eprintln!("PostgreSQL is not here: installing it with apt-get.");
    let apt = |args: &[&str]| {
        succeed(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])?;
    apt(&["install", "--yes", "--no-install-recommends", "postgresql"])?;
    find().context("apt-get installed postgresql, but its server programs are not where expected")
}

/// True if this process runs as root, whom PostgreSQL refuses.
pub(super) fn is_root() -> anyhow::Result<bool> {
    Ok(id(&["-u"])? == 0)
}

/// The user and group that run the server in place of root.
pub(super) fn stand_in() -> anyhow::Result<(u32, u32)> {
    let ids = |name| Ok::<_, anyhow::Error>((id(&["-u", name])?, id(&["-g", name])?));
    ids("postgres").or_else(|_| ids("nobody"))
}

fn id(args: &[&str]) -> anyhow::Result<u32> {
    let printed = String::from_utf8(output(Command::new("id").args(args))?)?;
    printed.trim().parse().with_context(|| format!("id printed {printed:?}"))
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter(|folder| is_complete(folder));
    let mut packaged: Vec<PathBuf> =
        ROOTS.iter().flat_map(|root| versions(Path::new(root))).collect();
    packaged.sort_by_key(|folder| std::cmp::Reverse(version_of(folder)));
    on_path.chain(packaged).next()
}

/// `ROOT/15/bin` (Debian) or `ROOT/postgresql@15/bin` (Homebrew).
fn versions(root: &Path) -> Vec<PathBuf> {
    let entries = root.read_dir().into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path().join("bin"));
    folders.filter(|folder| version_of(folder).is_some() && is_complete(folder)).collect()
}

fn version_of(folder: &Path) -> Option<u32> {
    let name = folder.parent()?.file_name()?.to_str()?;
    name.trim_start_matches("postgresql@").parse().ok()
}

fn is_complete(folder: &Path) -> bool {
    NEEDED.iter().all(|program| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_version() {
        assert_eq!(version_of(Path::new("/x/15/bin")), Some(15));
        assert_eq!(version_of(Path::new("/x/postgresql@17/bin")), Some(17));
        assert_eq!(version_of(Path::new("/x/openssl/bin")), None);
    }

    #[test]
    fn some_of_the_programs_are_not_enough() {
        let folder = std::env::temp_dir().join(format!("daohu-binaries-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("initdb"), "").unwrap();
        assert!(!is_complete(&folder));
        NEEDED.iter().for_each(|program| std::fs::write(folder.join(program), "").unwrap());
        assert!(is_complete(&folder));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
