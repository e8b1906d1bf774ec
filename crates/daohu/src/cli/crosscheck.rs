//! Arguments of `daohu crosscheck`.

use std::path::PathBuf;

use clap::Args;
use daohu_base::{AreaCode, Day};

use super::{DbArgs, parse_area, parse_day};

#[derive(Debug, Args)]
pub(crate) struct CrosscheckArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// A list and what it is: vehicles=FILE.csv. Repeat it for several; the members are read once.
    #[arg(long = "list", value_name = "CHECK=FILE", required = true, value_parser = list)]
    pub(crate) lists: Vec<(String, PathBuf)>,
    /// Members of this area (default: all). Needed where those are looked for who are not on a list.
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: Option<AreaCode>,
    /// Members who belong to a household on this day (default: today).
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    /// Count alone; store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

fn list(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((check, file)) if !check.is_empty() && !file.is_empty() => {
            Ok((check.to_owned(), file.into()))
        }
        _ => Err("write CHECK=FILE, such as vehicles=cars.csv".to_owned()),
    }
}
