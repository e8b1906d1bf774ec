//! `daohu demo`: the sample county, served, with a login per role.

use std::time::Instant;

use daohu_app::{
    Context, Lang,
    accounts::{NewUser, create_user, find_user, set_password},
    http::{Enforcement, HttpConfig, ServeConfig},
    journal::Act,
    sheet::Sheet,
};
use daohu_base::{Actor, AreaCode, Masked};
use daohu_db::DbUrl;

use super::{Done, import, sample, serve, user};
use crate::{
    cli::{DbArgs, DemoArgs},
    open::{Wanted, files_path, open},
    output::{Failure, line},
    sample::{Options, Place},
    tables::print_rows,
};

/// Everything made up follows from this number.
const SEED: u64 = 7;
const YEAR: u16 = 2015;

/// Name, role and the level of its area: province, county, township or none.
const LOGINS: [(&str, &str, Option<usize>); 8] = [
    ("sysadmin", "system_admin", None),
    ("secadmin", "security_admin", None),
    ("auditor", "audit_admin", None),
    ("leader", "leader", Some(6)),
    ("office", "office_clerk", Some(6)),
    ("clerk", "village_clerk", Some(9)),
    ("cadre", "cadre", Some(12)),
    ("inspector", "inspector", Some(2)),
];

pub(crate) async fn run(args: DemoArgs, lang: Lang) -> Done {
    let db = DbArgs { db: DbUrl::Sqlite(args.data.join("demo.db")), keys: None };
    // First: the logins of a demonstration that runs stay as they are.
    let listener = serve::bind(args.listen)?;
    let context = open(&db, Wanted::Ready).await?;
    load(&context, &args, lang).await?;
    line("")?;
    line(lang.pick("登录名与密码（每次启动更换）", "logins (new at every start)"))?;
    let village = daohu_app::areas::first_village(&context, &args.county).await?;
    for (name, role, level) in LOGINS {
        let area = level.and_then(|digits| village.get(..digits));
        let area = area.and_then(|code| AreaCode::parse(code).ok());
        let password = login(&context, name, role, area.clone()).await?;
        let area = area.map(|area| area.to_string()).unwrap_or_default();
        line(format_args!("  {name:<10} {password:<16} {role:<16} {area}"))?;
    }
    line("")?;
    serve::log();
    // The logins above are for show: whoever tries them has no telephone that knows their secrets.
    let second_factor = Enforcement::Offered;
    let config = HttpConfig { secure_cookies: false, second_factor, ..HttpConfig::default() };
    let files = files_path(&db, None)?;
    serve::serve(context, files, listener, config, ServeConfig::default()).await
}

/// Makes and imports the county, unless an earlier start did.
async fn load(context: &Context, args: &DemoArgs, lang: Lang) -> Result<(), Failure> {
    if !daohu_app::areas::first_village(context, &args.county).await?.is_empty() {
        return Ok(());
    }
    let started = Instant::now();
    let folder = tempfile::tempdir()?;
    let place = Place::County { code: args.county.clone() };
    let households = args.households;
    let options = Options { households, seed: SEED, year: YEAR, dirty: 0.0, place };
    sample::write(&options, folder.path())?;
    let summary = import::load(context, folder.path(), lang).await?;
    let sheets = summary.sheets.iter();
    let rows = sheets.map(|(name, counts)| {
        vec![Sheet::called_by(name, lang).to_owned(), counts.created.to_string()]
    });
    print_rows(rows.collect())?;
    line(format_args!("{:.1} s", started.elapsed().as_secs_f64()))?;
    Ok(())
}

/// An account for a role, with a new password that need not be changed.
async fn login(
    context: &Context,
    name: &str,
    role: &str,
    area: Option<AreaCode>,
) -> Result<String, Failure> {
    let act = || Act::new(Actor::command("demo"), &*context.clock, "demo");
    let user = match find_user(context, name).await {
        Ok(user) => user,
        Err(daohu_app::Error::NotFound(_)) => {
            let display_name = name.to_owned();
            let new = NewUser { name: name.to_owned(), display_name, password: None };
            let (user, _) = create_user(context, act(), new).await?;
            user::give(context, &user.id, role.to_owned(), area).await?;
            user
        }
        Err(error) => return Err(error.into()),
    };
    let password = format!("Daohu-{}", token()?);
    set_password(context, act(), &user.id, Some(Masked(password.clone()))).await?;
    Ok(password)
}

/// Ten random letters and digits.
fn token() -> Result<String, Failure> {
    let keys = daohu_app::keys::random_token()?;
    Ok(keys.chars().take(10).collect())
}
