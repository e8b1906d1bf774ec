//! The arguments of prediction.

use std::path::PathBuf;

use clap::Args;
use daohu_base::AreaCode;

use super::{DbArgs, parse_area};

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// The year at whose end it is asked: the next one is predicted, and nothing later is looked at.
    #[arg(long, value_parser = clap::value_parser!(i64).range(1949..=2100))]
    pub(crate) year: i64,
    /// Instead of predicting: predict each earlier year from those before it, and compare with what came.
    #[arg(long, conflicts_with_all = ["household", "out"])]
    pub(crate) backtest: bool,
    /// Ask who of those who exited will be below the line again, instead of who will be at or above it.
    #[arg(long)]
    pub(crate) relapse: bool,
    /// One household, 户编号 with COUNTY/ before it where several counties have it: all that its probability is made of.
    #[arg(long, value_name = "NO", conflicts_with = "out")]
    pub(crate) household: Option<String>,
    /// Write a line for each household to this CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the model card, Markdown, to this file.
    #[arg(long, value_name = "FILE", requires = "backtest")]
    pub(crate) card: Option<PathBuf>,
    /// What the card is to say of the data besides: that they are made up, where they are known to be wrong.
    #[arg(long, value_name = "TEXT", requires = "card")]
    pub(crate) note: Option<String>,
    /// Replace files that are there.
    #[arg(long)]
    pub(crate) force: bool,
    #[arg(long)]
    pub(crate) json: bool,
}
