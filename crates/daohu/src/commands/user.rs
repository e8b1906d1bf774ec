//! `daohu user …`: accounts, for the first administrators and for emergencies.

use std::{io::BufRead, process::ExitCode};

use daohu_app::{
    Context, Lang,
    accounts::{
        NewGrant, NewUser, User, UserFilter, add_grant, check_grant, create_user, find_user,
        grants_of, list_users, set_password,
    },
    areas,
    journal::{self, Act},
};
use daohu_base::{Actor, AreaCode, Masked};

use super::{Done, totp};
use crate::{
    cli::{UserCommand, UserListArgs},
    open::{Wanted, open},
    output::{Failure, json, line, note},
};

/// Accounts listed by one page of the store.
const PAGE: i64 = 500;

pub(crate) async fn run(command: UserCommand, lang: Lang) -> Done {
    match command {
        UserCommand::Add(args) => {
            let context = open(&args.db, Wanted::Ready).await?;
            // Before the account is made: it must not stand there without the role.
            if let Some(role) = &args.role {
                check_grant(&context, role, args.area.as_ref()).await?;
            }
            let display_name = args.display_name.unwrap_or_else(|| args.name.clone());
            let password = read_password(args.password_stdin)?;
            let new = NewUser { name: args.name, display_name, password };
            let (user, initial) = create_user(&context, act(&context), new).await?;
            if let Some(role) = args.role {
                warn_of_no_tree(&context, args.area.as_ref(), lang).await?;
                give(&context, &user.id, role, args.area).await?;
            }
            done(&context, (args.json, lang), &user.name, initial).await
        }
        UserCommand::Role(args) => {
            let context = open(&args.db, Wanted::Existing).await?;
            let user = find_user(&context, &args.name).await?;
            warn_of_no_tree(&context, args.area.as_ref(), lang).await?;
            give(&context, &user.id, args.role, args.area).await?;
            done(&context, (args.json, lang), &user.name, None).await
        }
        UserCommand::Passwd(args) => {
            let context = open(&args.db, Wanted::Existing).await?;
            let user = find_user(&context, &args.name).await?;
            let password = read_password(args.password_stdin)?;
            let (user, initial) = set_password(&context, act(&context), &user.id, password).await?;
            done(&context, (args.json, lang), &user.name, initial).await
        }
        UserCommand::Totp(args) => totp::run(args, lang).await,
        UserCommand::List(args) => list(args, lang).await,
    }
}

pub(super) fn act(context: &Context) -> Act {
    Act::new(Actor::command("user"), &*context.clock, "command")
}

/// Before the first import no area can be looked up: whoever mistypes it should hear of it.
async fn warn_of_no_tree(
    context: &Context,
    area: Option<&AreaCode>,
    lang: Lang,
) -> Result<(), Failure> {
    let Some(area) = area else { return Ok(()) };
    if areas::is_empty(context).await? {
        note(match lang {
            Lang::Zh => format!("注意：还没有导入行政区划，无法核对 {area}"),
            Lang::En => format!("note: there are no areas yet, {area} could not be checked"),
        });
    }
    Ok(())
}

/// Gives a role from today on.
pub(crate) async fn give(
    context: &Context,
    user: &str,
    role: String,
    area: Option<AreaCode>,
) -> Result<(), Failure> {
    let grant = NewGrant { role, area, starts_on: None, ends_on: None };
    add_grant(context, act(context), user, grant).await?;
    Ok(())
}

async fn done(
    context: &Context,
    (as_json, lang): (bool, Lang),
    name: &str,
    initial: Option<Masked>,
) -> Done {
    journal::seal_all(context).await?;
    let password = initial.map(|masked| masked.0);
    if as_json {
        json(&serde_json::json!({ "name": name, "initial_password": password }))?;
    } else {
        line(name)?;
        if let Some(password) = password {
            let label = lang.pick("初始密码（首次登录须修改）：", "initial password: ");
            line(format_args!("{label}{password}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_password(from_stdin: bool) -> Result<Option<Masked>, Failure> {
    if !from_stdin {
        return Ok(None);
    }
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    Ok(Some(Masked(typed.trim_end_matches(['\r', '\n']).to_owned())))
}

async fn list(args: UserListArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let mut after = None;
    let mut rows = Vec::new();
    loop {
        let page = list_users(&context, UserFilter::default(), after.take(), PAGE).await?;
        let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < PAGE;
        after = page.last().map(|user| user.name.clone());
        for user in page {
            let grants = grants_of(&context, &user.id).await?;
            let today = context.clock.now().day();
            let current = grants.iter().filter(|grant| !grant.has_ended_on(today));
            let grants: Vec<String> = current.map(ToString::to_string).collect();
            rows.push((user, grants));
        }
        if is_last {
            break;
        }
    }
    // One that is past locks nobody.
    let now = context.clock.now();
    let until = |user: &User| user.locked_until.filter(|until| *until > now);
    if args.json {
        let row = |(user, grants): &(User, Vec<String>)| {
            serde_json::json!({
                "name": user.name,
                "display_name": user.display_name,
                "is_locked": user.is_locked,
                "locked_until": until(user).map(|until| until.to_string()),
                "second_factor_at": user.second_factor_at.map(|since| since.to_string()),
                "grants": grants,
            })
        };
        json(&rows.iter().map(row).collect::<Vec<_>>())?;
    } else {
        for (user, grants) in rows {
            let locked = match (user.is_locked, until(&user)) {
                (true, _) => lang.pick(" [已锁定]", " [locked]").to_owned(),
                (false, Some(until)) => {
                    format!(" [{} {until}]", lang.pick("锁定至", "locked until"))
                }
                (false, None) => String::new(),
            };
            let factor = match user.second_factor_at {
                Some(_) => lang.pick(" [双因素]", " [second factor]"),
                None => "",
            };
            let (name, display_name, grants) = (user.name, user.display_name, grants.join(" "));
            line(format_args!("{name:<20} {display_name:<12} {grants}{factor}{locked}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
