//! `daohu policy`: packs in a folder, and those that are published.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use daohu_app::{
    Context, Lang,
    journal::Act,
    policies::{self, Explained, Outcome, Pack, Publication, Said},
};
use daohu_base::{Actor, Timestamp};
use daohu_policy::Policy;
use serde::Serialize;
use serde_json::json;

use super::{Done, monitor::under};
use crate::{
    cli::{
        PolicyCheckArgs, PolicyCommand, PolicyExplainArgs, PolicyListArgs, PolicyLoadArgs,
        PolicyWithdrawArgs, SomeDbArgs,
    },
    open::{Wanted, open},
    output::{Failure, json, line},
    tables::print_rows,
};

pub(crate) async fn run(command: PolicyCommand, lang: Lang) -> Done {
    match command {
        PolicyCommand::Check(args) => check(args, lang).await,
        PolicyCommand::Load(args) => load(args, lang).await,
        PolicyCommand::Withdraw(args) => withdraw(args, lang).await,
        PolicyCommand::List(args) => list(args, lang).await,
        PolicyCommand::Schema => schema(),
        PolicyCommand::Explain(args) => explain(args, lang).await,
    }
}

fn schema() -> Done {
    line(serde_json::to_string_pretty(&daohu_policy::schema()).map_err(io::Error::other)?)?;
    Ok(ExitCode::SUCCESS)
}

async fn check(args: PolicyCheckArgs, lang: Lang) -> Done {
    let policy = policy_with(&args.db, Some(&args.dir)).await?;
    let found = policies::faults(&policy);
    if !found.is_empty() {
        return Err(Failure::of_packs(&found));
    }
    line(lang.pick("政策包可用", "the packs can be used"))?;
    Ok(ExitCode::SUCCESS)
}

async fn load(args: PolicyLoadArgs, lang: Lang) -> Done {
    let mut pack = read(&args.dir)?;
    if let Some(name) = args.name {
        pack.name = name;
    }
    let (name, files) = (pack.name.clone(), pack.files.len());
    let context = open(&args.db, Wanted::Existing).await?;
    let act = Act::new(Actor::command("policy load"), &*context.clock, "command");
    let outcome = policies::publish(&context, act, (pack, args.note), args.dry_run).await?;
    told(outcome, (&name, files), args.json, lang)
}

async fn withdraw(args: PolicyWithdrawArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let act = Act::new(Actor::command("policy withdraw"), &*context.clock, "command");
    let outcome = policies::withdraw(&context, act, (args.name.clone(), args.note)).await;
    let outcome = outcome.map_err(|error| match error {
        daohu_app::Error::NotFound(_) => Failure::refusal(
            format!("没有发布过政策包 {}；daohu policy list 列出全部", args.name),
            format!("no pack {} is published; daohu policy list tells which are", args.name),
        ),
        other => other.into(),
    })?;
    told(outcome, (&args.name, 0), args.json, lang)
}

/// What a program is told of a publication.
#[derive(Serialize)]
struct Told<'t> {
    outcome: &'static str,
    pack: &'t str,
    files: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'t str>,
}

fn told(outcome: Outcome, (pack, files): (&str, usize), as_json: bool, lang: Lang) -> Done {
    let (outcome, version, words) = match &outcome {
        Outcome::Refused(found) => return Err(Failure::of_packs(found)),
        Outcome::Published(own) => {
            let words = lang.pick("已发布", "published");
            ("published", Some(own.version.as_str()), words)
        }
        Outcome::Tried(policy) => {
            let words = lang.pick("可以发布，这次没有发布", "can be published; nothing was");
            ("tried", Some(policy.version()), words)
        }
        Outcome::Unchanged => {
            ("unchanged", None, lang.pick("与已发布的相同", "published already, as it is"))
        }
    };
    if as_json {
        json(&Told { outcome, pack, files, version })?;
    } else {
        line(format_args!("{pack}: {words}  {}", version.unwrap_or_default()))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: PolicyListArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let all = policies::list(&context).await?;
    let names =
        |own: &Publication| own.files().into_iter().map(|(name, _)| name).collect::<Vec<String>>();
    if args.json {
        let told = all.iter().map(|own| {
            let at = Timestamp(own.published_at).to_string();
            json!({ "id": own.id, "pack": own.pack, "files": names(own), "version": own.version,
                    "note": own.note, "published_at": at, "published_by": own.published_by })
        });
        json(&told.collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let head = [
        lang.pick("政策包", "pack"),
        lang.pick("文件", "files"),
        lang.pick("版本", "version"),
        lang.pick("时间", "when"),
        lang.pick("发布者", "by"),
        lang.pick("说明", "note"),
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|own| {
        let files = match names(own).len() {
            0 => lang.pick("撤回", "withdrawn").to_owned(),
            count => count.to_string(),
        };
        let at = Timestamp(own.published_at).to_string();
        let (by, note) = (own.published_by.clone(), own.note.clone());
        vec![own.pack.clone(), files, own.version.clone(), at, by, note]
    }));
    print_rows(rows)?;
    Ok(ExitCode::SUCCESS)
}

async fn explain(args: PolicyExplainArgs, lang: Lang) -> Done {
    let policy = policy_with(&args.db, args.pack.as_deref()).await?;
    let all = policies::explain_all(&policy, &args.area, args.on);
    let found: Vec<Explained> = match &args.item {
        None => all,
        Some(item) => {
            let known: Vec<String> = all.iter().map(|own| own.item.clone()).collect();
            let found: Vec<_> = all.into_iter().filter(|own| own.item == *item).collect();
            if found.is_empty() {
                let known = known.join(", ");
                return Err(Failure::usage(
                    format!("没有 {item} 这一条，有：{known}"),
                    format!("there is no item {item}; there are: {known}"),
                ));
            }
            found
        }
    };
    if args.json {
        let (area, on, version) = (args.area.as_str(), args.on.to_string(), policy.version());
        json(&json!({ "area": area, "on": on, "policy": version, "items": found }))?;
    } else {
        line(format_args!("{}  {}", args.area, args.on))?;
        let is_one = args.item.is_some();
        found.iter().try_for_each(|own| print(own, is_one, lang))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An item: what holds of it, and if it is the only one what else is said.
fn print(own: &Explained, is_one: bool, lang: Lang) -> Result<(), Failure> {
    let title = lang.pick(own.title.as_str(), own.title_en.as_str());
    line(format_args!("\n{}  {title}", own.item))?;
    match &own.in_force {
        Some(said) => print_said(said, lang)?,
        None => line(lang.pick("  没有生效的规定", "  nothing is in force"))?,
    }
    if is_one && !own.others.is_empty() {
        line(lang.pick(
            "\n其他（不生效，或被上面的取代）",
            "\nelse (not in force, or behind what stands above)",
        ))?;
        own.others.iter().try_for_each(|said| print_said(said, lang))?;
    }
    Ok(())
}

fn print_said(said: &Said, lang: Lang) -> Result<(), Failure> {
    if let Some(value) = &said.value {
        line(format_args!("  {value}"))?;
    }
    for own in &said.expressions {
        line(format_args!("  {}: {}", own.part, own.text))?;
    }
    let area = said.area.as_deref().unwrap_or(lang.pick("全国", "everywhere"));
    let day = |day: &Option<String>| day.clone().unwrap_or_else(|| "…".to_owned());
    let open = if said.open {
        lang.pick("  〔待定，不生效〕", "  [open: not in force]")
    } else {
        ""
    };
    line(format_args!("    {area}  {} — {}{open}", day(&said.since), day(&said.until)))?;
    line(format_args!("    {}:{}  {}", said.file, said.line, said.source))
}

/// What holds with the packs of a folder before all that is published in a database, or before what the program carries.
async fn policy_with(db: &SomeDbArgs, folder: Option<&Path>) -> Result<Arc<Policy>, Failure> {
    if let Some(db) = db.given() {
        return Ok(under(&db, folder).await?.policy);
    }
    let pack = folder.map(read).transpose()?;
    let policy = policies::read(&Vec::from_iter(pack));
    policy.map(Arc::new).map_err(|found| Failure::of_packs(&found))
}

/// The policy that is published, with the packs of a folder before it.
pub(super) async fn over_published(context: &Context, folder: &Path) -> Result<Policy, Failure> {
    let all = policies::over_published(context, read(folder)?).await?;
    all.map_err(|found| Failure::of_packs(&found))
}

/// The packs of a folder, named after it.
pub(super) fn read(folder: &Path) -> Result<Pack, Failure> {
    let unreadable = |error: io::Error| {
        let folder = folder.display();
        Failure::usage(
            format!("读不了政策包 {folder}：{error}"),
            format!("the packs of {folder} cannot be read: {error}"),
        )
    };
    let mut files = Vec::new();
    read_into(folder, Path::new(""), &mut files).map_err(unreadable)?;
    files.sort();
    if files.is_empty() {
        let folder = folder.display();
        return Err(Failure::usage(
            format!("{folder} 里没有 .toml 文件"),
            format!("there is no .toml file in {folder}"),
        ));
    }
    let name = folder.canonicalize().map_err(unreadable)?;
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Pack { name, files })
}

/// Reads the *.toml files of a folder and of those in it, named from the first folder on.
fn read_into(folder: &Path, below: &Path, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name: PathBuf = below.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            read_into(&path, &name, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push((name.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
