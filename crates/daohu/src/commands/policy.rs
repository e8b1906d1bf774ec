//! `daohu policy`: packs in a folder.

use std::{fs, io, path::Path, process::ExitCode};

use daohu_app::{Lang, monitoring};
use daohu_policy::Policy;

use super::Done;
use crate::{
    cli::PolicyCheckArgs,
    output::{Failure, line},
};

pub(crate) fn check(args: &PolicyCheckArgs, lang: Lang) -> Done {
    let policy = with_pack(&args.dir)?;
    let found = monitoring::check(&policy);
    if !found.is_empty() {
        return Err(Failure::of_packs(&found));
    }
    line(lang.pick("政策包可用", "the packs can be used"))?;
    Ok(ExitCode::SUCCESS)
}

/// The policy with the packs of a folder before the others.
pub(super) fn with_pack(folder: &Path) -> Result<Policy, Failure> {
    let files = read(folder).map_err(|error| {
        let folder = folder.display();
        Failure::usage(
            format!("读不了政策包 {folder}：{error}"),
            format!("the packs of {folder} cannot be read: {error}"),
        )
    })?;
    if files.is_empty() {
        let folder = folder.display();
        return Err(Failure::usage(
            format!("{folder} 里没有 .toml 文件"),
            format!("there is no .toml file in {folder}"),
        ));
    }
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Policy::embedded_and(files).map_err(|bad| Failure::of_pack(&bad))
}

/// The packs of a folder with their texts, by name.
fn read(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
