//! `daohu monitor prove`: what a server keeps of the households is what stands in the database.

use std::process::ExitCode;

use daohu_app::{Lang, monitoring::Proof};
use serde::Serialize;

use super::{Done, serve::census_path};
use crate::{
    cli::MonitorProveArgs,
    open::{Wanted, files_path, open},
    output::{FINDING, Failure, json, line, peak_rss_bytes},
};

/// What programs are told.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    proof: Proof,
    /// Whether a server had saved any that could be used.
    is_saved: bool,
    peak_rss_bytes: u64,
}

pub(super) async fn run(args: MonitorProveArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let path = census_path(&files_path(&args.db, args.files)?);
    let is_saved = path.exists();
    context.live.save_in(path);
    let proof = context.live.prove(&context).await?;
    let is_same = proof.difference.is_none();
    if args.json {
        json(&Report { proof, is_saved, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        print(&proof, is_saved, lang)?;
    }
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

fn print(proof: &Proof, is_saved: bool, lang: Lang) -> Result<(), Failure> {
    let Proof { households, members, kept_seconds, anew_seconds, .. } = proof;
    line(match (lang, is_saved) {
        (Lang::Zh, true) => {
            format!("已保存的快照补齐后 {kept_seconds:.2} 秒，重新读取 {anew_seconds:.2} 秒")
        }
        (Lang::Zh, false) => {
            format!("没有已保存的快照；读取两次：{kept_seconds:.2} 秒，{anew_seconds:.2} 秒")
        }
        (Lang::En, true) => {
            format!(
                "saved and brought up to date in {kept_seconds:.2} s, read anew in {anew_seconds:.2} s"
            )
        }
        (Lang::En, false) => {
            format!("nothing is saved; read twice, in {kept_seconds:.2} s and {anew_seconds:.2} s")
        }
    })?;
    line(match (lang, proof.difference) {
        (Lang::Zh, None) => format!("{households} 户 {members} 人完全一致"),
        (Lang::En, None) => format!("{households} households with {members} members are the same"),
        (Lang::Zh, Some(id)) => {
            format!("第一处不一致：户 id {id}。重启服务即重新读取；请报告此问题")
        }
        (Lang::En, Some(id)) => {
            format!(
                "the first that differs is household {id}; delete the saved file, start the server anew and report it"
            )
        }
    })
}
