//! `daohu journal verify`.

use std::{path::Path, process::ExitCode};

use daohu_app::{
    Lang, accounts, area_changes, crosscheck, households,
    journal::{self, Bad, Depth, Problem, Verdict},
    policies, registers, suspects, warnings,
};

use super::Done;
use crate::{
    cli::VerifyArgs,
    open::{Wanted, open},
    output::{FINDING, Failure, json, line, note},
};

pub(crate) async fn verify(args: VerifyArgs, lang: Lang) -> Done {
    // Before the database: a wrong file is not found out after an hour of reading.
    let checkpoint = args.checkpoint.as_deref().map(read_checkpoint).transpose()?;
    let context = open(&args.db, Wanted::Existing).await?;
    let depth = if args.deep { Depth::Rows } else { Depth::Chains };
    let slices = [
        households::watched(),
        registers::watched(),
        area_changes::watched(),
        suspects::watched(),
        crosscheck::watched(),
        warnings::watched(),
        accounts::watched(),
        policies::watched(),
    ];
    let watched = slices.concat();
    let verdict = journal::verify_store(&context, checkpoint, depth, watched).await?;
    if args.json {
        json(&verdict)?;
    } else {
        print(&verdict, depth, lang)?;
    }
    Ok(if verdict.ok { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

/// The checkpoint in a file that holds what a verification printed, or nothing but the checkpoint.
fn read_checkpoint(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let text = std::fs::read(path).map_err(|error| {
        Failure::usage(
            format!("{name} 无法读取：{error}"),
            format!("{name} cannot be read: {error}"),
        )
    })?;
    let text = String::from_utf8_lossy(&text);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let found = text.split(|c| !is_part(c)).find(|token| token.starts_with("daohu1:"));
    found.map(str::to_owned).ok_or_else(|| {
        Failure::usage(
            format!("{name} 里没有检查点；应为 daohu journal verify 以前的输出"),
            format!("no checkpoint in {name}: it should be what `daohu journal verify` printed"),
        )
    })
}

fn print(verdict: &Verdict, depth: Depth, lang: Lang) -> Result<(), Failure> {
    let looked_at = match depth {
        Depth::Chains => lang.pick(
            "只核对了日志的链（--deep 另核对每一行数据）",
            "chains only (--deep compares every row, too)",
        ),
        Depth::Rows => lang.pick("核对了日志的链和每一行数据", "chains and every row"),
    };
    let (sealed, waiting) = (verdict.sealed, verdict.entries.saturating_sub(verdict.sealed));
    line(match lang {
        Lang::Zh => format!("{looked_at}：已封存 {sealed} 条，待封存 {waiting} 条"),
        Lang::En => format!("checked: {looked_at}; entries: {sealed} sealed, {waiting} waiting"),
    })?;
    if verdict.ok {
        line(match depth {
            Depth::Chains => lang.pick("链完好", "the chains are whole"),
            Depth::Rows => lang.pick("完好", "whole"),
        })?;
        return verdict.checkpoint.as_ref().map_or(Ok(()), line);
    }
    let bad = verdict.bad;
    let found = match lang {
        Lang::Zh => format!("有问题：{bad} 处"),
        Lang::En => format!("not whole: {bad} found"),
    };
    // Where the output goes to a file, as a checkpoint does, it is still seen. And no checkpoint: one is
    // worth keeping as proof of what was found whole.
    note(&found);
    line(found)?;
    for bad in &verdict.named {
        line(fault(bad, lang))?;
    }
    let unnamed = bad.saturating_sub(u64::try_from(verdict.named.len()).unwrap_or_default());
    if unnamed > 0 {
        line(match lang {
            Lang::Zh => format!("… 另有 {unnamed} 处"),
            Lang::En => format!("… {unnamed} more"),
        })?;
    }
    Ok(())
}

/// `500242 #44  altered: household 500242000000007 (500242/50024200000007)`
fn fault(bad: &Bad, lang: Lang) -> String {
    let mut text = format!("  {} #{}  {}", bad.county, bad.sequence, says(bad.problem, lang));
    if let Some(record) = &bad.record {
        text.push_str(lang.pick("：", ": "));
        text.push_str(record);
    }
    if let Some(household) = &bad.household {
        let label = lang.pick("户编号", "household");
        text.push_str(&format!(" ({label} {household})"));
    }
    text
}

const fn says(problem: Problem, lang: Lang) -> &'static str {
    use Lang::{En, Zh};
    match (problem, lang) {
        (Problem::Altered, Zh) => "被改动",
        (Problem::Altered, En) => "altered",
        (Problem::Removed, Zh) => "被删除",
        (Problem::Removed, En) => "removed",
        (Problem::Reordered, Zh) => "次序被动",
        (Problem::Reordered, En) => "reordered",
        (Problem::Cut, Zh) => "末尾缺失：被截，或恢复了旧备份",
        (Problem::Cut, En) => "the end is missing: cut off, or an older backup restored",
        (Problem::RowDiffers, Zh) => "与日志不符",
        (Problem::RowDiffers, En) => "differs from the journal",
        (Problem::RowMissing, Zh) => "日志有而表中没有",
        (Problem::RowMissing, En) => "missing from its table",
        (Problem::RowUnknown, Zh) => "表中有而日志没有",
        (Problem::RowUnknown, En) => "a row without an entry",
        (Problem::ForgedCheckpoint, Zh) => "检查点不是用这些密钥签的",
        (Problem::ForgedCheckpoint, En) => "the checkpoint was not signed with these keys",
    }
}
