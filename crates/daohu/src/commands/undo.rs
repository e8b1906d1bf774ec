//! `daohu undo`: an import is taken back.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use daohu_app::{
    Error, Lang,
    journal::Act,
    undo::{Imported, Undone, imports, kind_title, undo},
};
use daohu_base::{Actor, Scope, Timestamp};

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::UndoArgs,
    open::{Wanted, open},
    output::{Failure, json, line},
    tables::print_rows,
};

/// Imports listed.
const LISTED: i64 = 100;

pub(crate) async fn run(args: UndoArgs, lang: Lang) -> Done {
    let as_json = args.json && !args.list;
    carry_out(args, lang).await.map_err(|failure| failure.told(lang, as_json))
}

async fn carry_out(args: UndoArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    if args.list {
        let listed = imports(&context, LISTED).await?;
        if args.json {
            json(&listed)?;
        } else {
            print_list(&listed, lang)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let id = args.id.unwrap_or_default();
    let act = Act::new(Actor::command("undo"), &*context.clock, "command");
    let scopes = (Scope::all(), Scope::all());
    let stoppable = Stoppable::begin();
    let ticket = stoppable.ticket.clone();
    let undone = undo(&context, act, scopes, (&id, args.dry_run), ticket).await;
    let undone = undone.map_err(|error| match error {
        Error::NotFound(_) => {
            Failure::refusal(format!("没有这次导入：{id}"), format!("no such import: {id}"))
        }
        other => other.into(),
    })?;
    if args.json {
        json(&undone)?;
    } else {
        print(&undone, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_list(listed: &[Imported], lang: Lang) -> Result<(), Failure> {
    let heads = match lang {
        Lang::Zh => ["编号", "导入时间", "导入人", "记录", "撤销时间", "撤销人"],
        Lang::En => ["id", "imported at", "by", "records", "undone at", "by"],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(listed.iter().map(|import| {
        let undone_at = import.undone_at.map(|at| Timestamp(at).to_string());
        vec![
            import.id.clone(),
            Timestamp(import.created_at).to_string(),
            import.created_by.clone(),
            import.records.to_string(),
            undone_at.unwrap_or_default(),
            import.undone_by.clone().unwrap_or_default(),
        ]
    }));
    print_rows(rows)?;
    line(lang.pick(
        "“记录”是这次导入新增和改动的记录数：除文件的行以外，还有自动建立的村民小组（计入行政区划）、随户迁移的\
         成员等；无变化的行不计",
        "\"records\" are those that the import made or changed: besides rows of the files also villagers' groups \
         that it made by itself (areas), members who went along with a household and the like; unchanged rows are \
         not counted",
    ))
}

fn print(undone: &Undone, lang: Lang) -> Result<(), Failure> {
    let heads = match lang {
        Lang::Zh => ["记录", "删除", "恢复"],
        Lang::En => ["records", "removed", "restored"],
    };
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    let kinds: BTreeSet<&String> = undone.removed.keys().chain(undone.restored.keys()).collect();
    for kind in kinds {
        let count = |counts: &BTreeMap<String, u64>| counts.get(kind).copied().unwrap_or_default();
        let (removed, restored) = (count(&undone.removed), count(&undone.restored));
        let title = kind_title(kind, lang).unwrap_or(kind).to_owned();
        rows.push(vec![title, removed.to_string(), restored.to_string()]);
    }
    print_rows(rows)?;
    if undone.kept_groups > 0 {
        let kept = undone.kept_groups;
        line(match lang {
            Lang::Zh => format!("村民小组 {kept} 个已有别的户使用，保留"),
            Lang::En => format!("{kept} villagers' groups stay: others use them by now"),
        })?;
    }
    line(match undone.committed {
        true => lang.pick("已撤销", "undone"),
        false => lang.pick("试算：没有改动任何数据", "a dry run: nothing was stored"),
    })
}
