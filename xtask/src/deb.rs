//! `cargo xtask deb`: the package for Debian and what descends from it, by dpkg's own tool.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{
    Workspace,
    command::{cargo, is_there, output, succeed},
    notices,
};

const USAGE: &str = "cargo xtask deb [--profile NAME] [--target TRIPLE]

Builds the command and writes target/debian/daohu_VERSION_ARCHITECTURE.deb. --profile is release unless
another is named; --target builds for another machine (docs/installation.md says what that needs).";

/// What goes where: the source in the repository, the place, the mode.
const FILES: [(&str, &str, u32); 9] = [
    ("packaging/daohu.toml", "etc/daohu/daohu.toml", 0o640),
    ("packaging/journald@daohu.conf", "etc/systemd/journald@daohu.conf", 0o644),
    ("packaging/daohu.service", "usr/lib/systemd/system/daohu.service", 0o644),
    ("packaging/daohu-backup.service", "usr/lib/systemd/system/daohu-backup.service", 0o644),
    ("packaging/daohu-backup.timer", "usr/lib/systemd/system/daohu-backup.timer", 0o644),
    ("packaging/debian/copyright", "usr/share/doc/daohu/copyright", 0o644),
    (notices::FILE, "usr/share/doc/daohu/THIRD-PARTY.md", 0o644),
    ("docs/installation.md", "usr/share/doc/daohu/installation.md", 0o644),
    ("CHANGELOG.md", "usr/share/doc/daohu/CHANGELOG.md", 0o644),
];

/// What dpkg runs or reads itself; `control` is filled in.
const CONTROL: [(&str, u32); 4] =
    [("conffiles", 0o644), ("postinst", 0o755), ("prerm", 0o755), ("postrm", 0o755)];

/// What is to be built.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    profile: Option<String>,
    target: Option<String>,
}

impl Wanted {
    fn parse(args: Vec<OsString>) -> anyhow::Result<Self> {
        let mut wanted = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let place = match arg.to_str() {
                Some("--profile") => &mut wanted.profile,
                Some("--target") => &mut wanted.target,
                _ => anyhow::bail!("{USAGE}"),
            };
            let value = args.next().and_then(|value| value.into_string().ok()).context(USAGE)?;
            *place = Some(value);
        }
        Ok(wanted)
    }
}

/// Builds the package and names it.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let wanted = Wanted::parse(args)?;
    ensure!(is_there(&mut Command::new("dpkg-deb")), "dpkg-deb is missing: apt-get install dpkg");
    let binary = build(workspace, &wanted)?;
    let architecture = match &wanted.target {
        Some(target) => architecture(target)?.to_owned(),
        None => {
            let printed = output(Command::new("dpkg").arg("--print-architecture"))?;
            String::from_utf8(printed)?.trim().to_owned()
        }
    };
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("daohu_{version}_{architecture}");
    let folder = workspace.target.join("debian");
    let tree = folder.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    put(&binary, &tree.join("usr/bin/daohu"), 0o755)?;
    strip(&tree.join("usr/bin/daohu"), &wanted)?;
    for (from, to, mode) in FILES {
        put(&workspace.root.join(from), &tree.join(to), mode)?;
    }
    let debian = workspace.root.join("packaging/debian");
    for (file, mode) in CONTROL {
        put(&debian.join(file), &tree.join("DEBIAN").join(file), mode)?;
    }
    let libc = libc(&fs::read(tree.join("usr/bin/daohu"))?).context("the binary names no glibc")?;
    let control = fs::read_to_string(debian.join("control"))?
        .replace("@version@", version)
        .replace("@architecture@", &architecture)
        .replace("@libc@", &libc);
    fs::write(tree.join("DEBIAN/control"), control)?;
    let package = folder.join(format!("{name}.deb"));
    let mut dpkg = Command::new("dpkg-deb");
    succeed(dpkg.args(["--root-owner-group", "--build"]).arg(&tree).arg(&package))
}

/// Builds the command; gives its file.
fn build(workspace: &Workspace, wanted: &Wanted) -> anyhow::Result<PathBuf> {
    let profile = wanted.profile.as_deref().unwrap_or("release");
    let mut build = cargo(workspace, ["build", "--locked", "--bin", "daohu", "--profile", profile]);
    let mut folder = workspace.target.clone();
    if let Some(target) = &wanted.target {
        build.args(["--target", target]);
        folder.push(target);
    }
    succeed(&mut build)?;
    // The one profile whose folder is not called like it.
    Ok(folder.join(if profile == "dev" { "debug" } else { profile }).join("daohu"))
}

/// Leaves out what only a debugger reads; a program without it works as well.
fn strip(binary: &Path, wanted: &Wanted) -> anyhow::Result<()> {
    let tool = match &wanted.target {
        Some(target) => format!("{}-strip", target.replace("-unknown", "")),
        None => "strip".to_owned(),
    };
    if !is_there(&mut Command::new(&tool)) {
        eprintln!("{tool} is missing: the package is larger than it need be");
        return Ok(());
    }
    succeed(Command::new(tool).arg("--strip-debug").arg(binary))
}

/// Copies a file, with the folders above it, whatever the user's umask is.
fn put(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    let folder = to.parent().context("a file in no folder")?;
    fs::create_dir_all(folder)?;
    for folder in folder.ancestors().take_while(|folder| !folder.ends_with("debian")) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    fs::copy(from, to).with_context(|| format!("{} cannot be packed", from.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(mode))?)
}

/// As Debian calls the machine of a target.
fn architecture(target: &str) -> anyhow::Result<&'static str> {
    match target {
        "x86_64-unknown-linux-gnu" => Ok("amd64"),
        "aarch64-unknown-linux-gnu" => Ok("arm64"),
        other => anyhow::bail!("{other}: x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu"),
    }
}

/// The newest glibc whose symbols a program asks for: `2.36`.
fn libc(binary: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"GLIBC_2.";
    let minor = |at: usize| {
        let rest = binary.get(at + MARK.len()..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(3);
        String::from_utf8(digits.copied().collect()).ok()?.parse::<u32>().ok()
    };
    let places = binary.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    places.filter_map(|(at, _)| minor(at)).max().map(|minor| format!("2.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_libc_is_asked_for() {
        assert_eq!(
            libc(b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE"),
            Some("2.34".into())
        );
        assert_eq!(libc(b"static"), None);
    }

    #[test]
    fn arguments_are_a_profile_and_a_target() {
        let parse = |words: &[&str]| Wanted::parse(words.iter().map(OsString::from).collect());
        let both = parse(&["--target", "t", "--profile", "dev"]).unwrap();
        assert_eq!(both, Wanted { profile: Some("dev".into()), target: Some("t".into()) });
        for wrong in [&["--help"][..], &["--profile"], &["x"]] {
            assert!(parse(wrong).unwrap_err().to_string().contains("cargo xtask deb"));
        }
    }

    #[test]
    fn every_settings_file_of_the_package_is_kept_as_the_administrator_changed_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let kept = fs::read_to_string(root.join("packaging/debian/conffiles")).unwrap();
        let below_etc = FILES.iter().filter(|(_, to, _)| to.starts_with("etc/"));
        let packed: Vec<String> = below_etc.map(|(_, to, _)| format!("/{to}")).collect();
        assert_eq!(kept.lines().collect::<Vec<_>>(), packed);
        for (from, ..) in FILES {
            assert!(root.join(from).exists(), "{from}");
        }
    }
}
