//! Publishing packs, and following what is published.

use std::{sync::Arc, time::Duration};

use daohu_db::{BoxFuture, Error as DbError, FutureExt, Tx, Violation};
use daohu_policy::{BadPack, Policy};

use super::{
    model::{self, Pack, Publication, SHIPPED, check, read, shipped},
    sql,
};
use crate::{
    Context, Error,
    journal::{self, Act, Action, Change, NO_COUNTY, Watched},
    keys::Keys,
};

/// How often a server looks for what was published.
const LOOK: Duration = Duration::from_secs(5);
/// The journal's name of a publication.
const KIND: &str = "policy_pack";

/// What a publication came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in force.
    Published(Publication),
    /// It would be.
    Tried(Arc<Policy>),
    /// It was already.
    Unchanged,
    /// It cannot be used: all that is wrong with it.
    Refused(Vec<BadPack>),
}

/// The packs that are published, without what the program carries, and the last publication of all.
async fn published(tx: &mut Tx) -> Result<(Vec<Pack>, i64), Error> {
    let lasts = sql::lasts(tx).await?;
    let own = lasts.iter().filter(|own| own.pack != SHIPPED);
    let packs = own.filter_map(|own| own.pack().transpose()).collect::<Result<_, BadPack>>()?;
    Ok((packs, lasts.last().map_or(0, |own| own.id)))
}

async fn read_published(context: &Context) -> Result<(Vec<Pack>, i64), Error> {
    context.db.read(move |tx| async move { published(tx).await }.boxed()).await
}

/// The policy that is published, which was checked when it was: that of the context, where nothing is.
pub async fn in_force(context: &Context) -> Result<Result<Arc<Policy>, Vec<BadPack>>, Error> {
    let (packs, _) = read_published(context).await?;
    // To read all that the program carries once more takes longer than many a command.
    if packs.is_empty() {
        return Ok(Ok(Arc::clone(&context.policy)));
    }
    Ok(read(&packs).map(Arc::new))
}

/// The policy that is published, and a pack that goes before it, as far as it can be read.
pub async fn over_published(
    context: &Context,
    pack: Pack,
) -> Result<Result<Policy, Vec<BadPack>>, Error> {
    let (mut packs, _) = read_published(context).await?;
    packs.push(pack);
    Ok(read(&packs))
}

/// All publications, the last first.
pub async fn list(context: &Context) -> Result<Vec<Publication>, Error> {
    let read = async move |tx: &mut Tx| sql::list(tx).await;
    Ok(context.db.read(move |tx| async move { read(tx).await }.boxed()).await?)
}

/// Publications of one pack or of all, the last first, from before one of them on.
pub(super) async fn page(
    context: &Context,
    pack: Option<String>,
    (before, limit): (Option<i64>, i64),
) -> Result<Vec<Publication>, Error> {
    let read = async move |tx: &mut Tx| sql::page(tx, pack.as_deref(), (before, limit)).await;
    Ok(context.db.read(move |tx| async move { read(tx).await }.boxed()).await?)
}

/// A publication, if there is one of this id.
pub(super) async fn by_id(context: &Context, id: i64) -> Result<Option<Publication>, Error> {
    let read = async move |tx: &mut Tx| sql::by_id(tx, id).await;
    Ok(context.db.read(move |tx| async move { read(tx).await }.boxed()).await?)
}

/// The files that stand under a name; none where nothing does.
pub(super) async fn files_of(
    context: &Context,
    name: &str,
) -> Result<Vec<(String, String)>, Error> {
    let (packs, _) = read_published(context).await?;
    Ok(packs.into_iter().find(|own| own.name == name).map(|own| own.files).unwrap_or_default())
}

/// Publishes a pack in place of what stood under its name, if all of it can be used.
pub async fn publish(
    context: &Context,
    act: Act,
    (pack, note): (Pack, String),
    is_tried: bool,
) -> Result<Outcome, Error> {
    pack.check_name()?;
    let (mut packs, last) = read_published(context).await?;
    if packs.contains(&pack) {
        return Ok(Outcome::Unchanged);
    }
    packs.retain(|own| own.name != pack.name);
    packs.push(pack.clone());
    let policy = match check(&packs) {
        Ok(policy) => policy,
        Err(found) => return Ok(Outcome::Refused(found)),
    };
    if is_tried {
        return Ok(Outcome::Tried(Arc::new(policy)));
    }
    let version = policy.version().to_owned();
    let published = store(context, act, (pack.name.clone(), pack.stored()), (version, note), last);
    let published = published.await?;
    context.take_up(Arc::new(policy));
    Ok(Outcome::Published(published))
}

/// Takes back what stands under a name: from now on what stood below it holds.
pub async fn withdraw(
    context: &Context,
    act: Act,
    (name, note): (String, String),
) -> Result<Outcome, Error> {
    let (mut packs, last) = read_published(context).await?;
    if packs.iter().all(|own| own.name != name) {
        return Err(Error::NotFound("policy pack"));
    }
    packs.retain(|own| own.name != name);
    let policy = match check(&packs) {
        Ok(policy) => policy,
        Err(found) => return Ok(Outcome::Refused(found)),
    };
    let version = policy.version().to_owned();
    let withdrawn = store(context, act, (name, "[]".to_owned()), (version, note), last).await?;
    context.take_up(Arc::new(policy));
    Ok(Outcome::Published(withdrawn))
}

/// Notes what the program carries, if it is not what an earlier program carried.
pub async fn note_shipped(context: &Context, act: Act) -> Result<(), Error> {
    let pack = shipped();
    let read = async move |tx: &mut Tx| sql::lasts(tx).await;
    let lasts = context.db.read(move |tx| async move { read(tx).await }.boxed()).await?;
    let stored = pack.stored();
    if lasts.iter().any(|own| own.pack == SHIPPED && own.files == stored) {
        return Ok(());
    }
    let last = lasts.last().map_or(0, |own| own.id);
    let of = (context.policy.version().to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    match store(context, act, (pack.name, stored), of, last).await {
        // Nobody else may seal what a program wrote that only brought the schema up to date.
        Ok(_) => journal::seal_all(context).await.map(|_| ()),
        // Another program that starts just now has noted it.
        Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a publication, unless something was published since it was checked.
async fn store(
    context: &Context,
    act: Act,
    (pack, files): (String, String),
    (version, note): (String, String),
    last: i64,
) -> Result<Publication, Error> {
    let own = Publication {
        id: last + 1,
        pack,
        files,
        version,
        note,
        published_at: act.at.0,
        published_by: act.actor.name.clone(),
    };
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        if sql::last(tx).await? != last {
            return Err(Error::Refused("policy.published_meanwhile"));
        }
        sql::insert(tx, &own).await?;
        let (record, after) = (own.id.to_string(), Some(journaled(&own)));
        let (county, action) = (NO_COUNTY.to_owned(), Action::Created);
        let change = Change { county, kind: KIND, record, action, before: None, after };
        journal::record(tx, &keys, &act, vec![change]).await?;
        Ok(own)
    };
    let stored = context.db.write(move |tx| async move { work(tx).await }.boxed()).await;
    stored.map_err(|error| match error {
        Error::Store(DbError::Changed | DbError::Violation(Violation::Unique)) => {
            Error::Refused("policy.published_meanwhile")
        }
        other => other,
    })
}

/// The publication as its journal entry writes it.
fn journaled(own: &Publication) -> String {
    serde_json::json!(own).to_string()
}

/// What `journal verify --deep` compares.
pub fn watched() -> Vec<Watched> {
    vec![Watched { kind: KIND, table: "policy_packs", current, household: None }]
}

fn current<'t>(
    tx: &'t mut Tx,
    _: &'t Keys,
    _: &'t str,
    record: &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>> {
    async move {
        let Ok(id) = record.parse() else { return Ok(None) };
        Ok(sql::by_id(tx, id).await?.as_ref().map(journaled))
    }
    .boxed()
}

/// Takes up what is published, here or by another program; never ends.
pub async fn follow(context: Context) {
    let mut known = None;
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        if let Err(error) = follow_once(&context, &mut known).await {
            tracing::error!(%error, "what is published cannot be read; the policy stays as it is");
        }
    }
}

/// Takes up what is published, if something was since `known`.
async fn follow_once(context: &Context, known: &mut Option<i64>) -> Result<(), Error> {
    let read = async move |tx: &mut Tx| sql::last(tx).await;
    let last = context.db.read(move |tx| async move { read(tx).await }.boxed()).await?;
    if *known == Some(last) {
        return Ok(());
    }
    let (packs, last) = read_published(context).await?;
    *known = Some(last);
    let before = context.current().policy;
    // It was checked when it was taken up.
    if model::read(&packs).is_ok_and(|policy| policy.version() == before.version()) {
        return Ok(());
    }
    match check(&packs) {
        Ok(policy) => {
            tracing::info!(version = policy.version(), "another policy was published");
            context.take_up(Arc::new(policy));
        }
        Err(found) => {
            for bad in found {
                tracing::error!(%bad, "a published pack cannot be used here; the policy stays as it is");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use daohu_base::{Actor, SystemClock};
    use daohu_db::{Engine, testing::Scratch};

    use super::*;
    use crate::{
        accounts::{Cost, Passwords},
        schema::MIGRATIONS,
    };

    /// A program over a database.
    fn program(db: &daohu_db::Db, keys: &Arc<Keys>) -> Context {
        let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1, at_once: 1 }).unwrap();
        let policy = Arc::new(Policy::embedded().unwrap());
        Context::new(db.clone(), policy, (keys.clone(), passwords), Arc::new(SystemClock))
    }

    fn act(context: &Context) -> Act {
        Act::new(Actor::command("test"), &*context.clock, "command")
    }

    fn pack(text: &str) -> Pack {
        Pack { name: "own".to_owned(), files: vec![("own.toml".to_owned(), text.to_owned())] }
    }

    const LINE: &str = "[[value]]\nof = 'line'\nyear = 2015\nvalue = 3000\nsource = 'a test'\n";

    #[tokio::test]
    async fn a_server_takes_up_what_another_program_publishes_and_keeps_what_it_has_otherwise() {
        for engine in Engine::BOTH {
            let (_scratch, db) = Scratch::migrated(engine, &MIGRATIONS).await;
            let keys = Arc::new(Keys::generate().unwrap());
            let (server, other) = (program(&db, &keys), program(&db, &keys));
            let line = |context: &Context| context.current().policy.poverty_line_fen("50", 2015);
            let mut known = None;
            follow_once(&server, &mut known).await.unwrap();
            assert_eq!(line(&server), Some(285_500));
            let at_work = server.current();

            let note = || (pack(LINE), String::new());
            let done = publish(&other, act(&other), note(), false).await.unwrap();
            assert!(matches!(done, Outcome::Published(_)), "{done:?}");
            assert_eq!(line(&other), Some(300_000), "who publishes it follows it at once");
            assert_eq!(line(&server), Some(285_500));
            follow_once(&server, &mut known).await.unwrap();
            assert_eq!(line(&server), Some(300_000), "{engine:?}");
            assert_eq!(
                at_work.policy.poverty_line_fen("50", 2015),
                Some(285_500),
                "it goes on as it began"
            );

            // A row that this program cannot read.
            let bad = Publication {
                id: 2,
                pack: "newer".to_owned(),
                files: "[[\"new.toml\", \"[[unheard_of]]\"]]".to_owned(),
                version: "x".to_owned(),
                note: String::new(),
                published_at: 0,
                published_by: "x".to_owned(),
            };
            let insert = async move |tx: &mut Tx| sql::insert(tx, &bad).await;
            db.write(move |tx| async move { insert(tx).await }.boxed()).await.unwrap();
            follow_once(&server, &mut known).await.unwrap();
            assert_eq!(line(&server), Some(300_000), "it keeps what it has");
        }
    }

    #[tokio::test]
    async fn what_the_program_carries_is_noted_once_and_two_publications_at_once_are_not_both_made()
    {
        for engine in Engine::BOTH {
            let (_scratch, db) = Scratch::migrated(engine, &MIGRATIONS).await;
            let keys = Arc::new(Keys::generate().unwrap());
            let context = program(&db, &keys);
            for _ in 0..2 {
                note_shipped(&context, act(&context)).await.unwrap();
            }
            let all = list(&context).await.unwrap();
            assert_eq!((all.len(), all[0].pack.as_str()), (1, SHIPPED));
            assert!(all[0].files.contains("lines.toml"));
            let of = || (("own".to_owned(), "[]".to_owned()), ("x".to_owned(), String::new()));
            let (pack, told) = of();
            store(&context, act(&context), pack, told, 1).await.unwrap();
            let (pack, told) = of();
            let late = store(&context, act(&context), pack, told, 1).await;
            assert!(matches!(late, Err(Error::Refused("policy.published_meanwhile"))), "{late:?}");
            for name in ["", "shipped", "a b", "a/b", &"x".repeat(65)] {
                let pack = Pack { name: name.to_owned(), files: Vec::new() };
                let refused = publish(&context, act(&context), (pack, String::new()), false).await;
                assert!(matches!(refused, Err(Error::Invalid(_))), "{name}: {refused:?}");
            }
        }
    }
}
