//! `daohu user …`: accounts, for the first administrators and for emergencies.

use std::{io::BufRead, process::ExitCode};

use daohu_app::{
    Context,
    accounts::{
        NewGrant, NewUser, UserFilter, add_grant, check_grant, create_user, find_user, grants_of,
        list_users, set_password,
    },
    journal::{self, Act},
};
use daohu_base::{Actor, AreaCode, Masked};

use super::Done;
use crate::{
    cli::{UserCommand, UserListArgs},
    open::{Wanted, open},
    output::{Failure, json, line},
};

/// Accounts listed by one page of the store.
const PAGE: i64 = 500;

pub(crate) async fn run(command: UserCommand) -> Done {
    match command {
        UserCommand::Add(args) => {
            let context = open(&args.db, Wanted::Ready).await?;
            // Before the account is made: it must not stand there without the role.
            if let Some(role) = &args.role {
                check_grant(&context.policy, role, args.area.as_ref())?;
            }
            let display_name = args.display_name.unwrap_or_else(|| args.name.clone());
            let password = read_password(args.password_stdin)?;
            let new = NewUser { name: args.name, display_name, password };
            let (user, initial) = create_user(&context, act(&context), new).await?;
            if let Some(role) = args.role {
                give(&context, &user.id, role, args.area).await?;
            }
            done(&context, args.json, &user.name, initial).await
        }
        UserCommand::Role(args) => {
            let context = open(&args.db, Wanted::Existing).await?;
            let user = find_user(&context, &args.name).await?;
            give(&context, &user.id, args.role, args.area).await?;
            done(&context, args.json, &user.name, None).await
        }
        UserCommand::Passwd(args) => {
            let context = open(&args.db, Wanted::Existing).await?;
            let user = find_user(&context, &args.name).await?;
            let password = read_password(args.password_stdin)?;
            let (user, initial) = set_password(&context, act(&context), &user.id, password).await?;
            done(&context, args.json, &user.name, initial).await
        }
        UserCommand::List(args) => list(args).await,
    }
}

fn act(context: &Context) -> Act {
    Act::new(Actor::command("user"), &*context.clock, "command")
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

async fn done(context: &Context, as_json: bool, name: &str, initial: Option<Masked>) -> Done {
    journal::seal_all(context).await?;
    let password = initial.map(|masked| masked.0);
    if as_json {
        json(&serde_json::json!({ "name": name, "initial_password": password }))?;
    } else {
        line(name)?;
        if let Some(password) = password {
            line(format_args!("初始密码（首次登录须修改）/ initial password: {password}"))?;
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

async fn list(args: UserListArgs) -> Done {
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
    if args.json {
        let row = |(user, grants): &(daohu_app::accounts::User, Vec<String>)| {
            serde_json::json!({
                "name": user.name,
                "display_name": user.display_name,
                "is_locked": user.is_locked,
                "grants": grants,
            })
        };
        json(&rows.iter().map(row).collect::<Vec<_>>())?;
    } else {
        for (user, grants) in rows {
            line(format_args!("{:<20} {:<12} {}", user.name, user.display_name, grants.join(" ")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
