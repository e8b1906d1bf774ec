//! An area with its households, as monitoring looks at it.

use std::{num::NonZero, ops::Range, sync::Arc, thread::available_parallelism, time::Instant};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_census::{Assessment, Census, Plan, Question, assess};
use daohu_db::{FutureExt, Tx};
use tokio::task::spawn_blocking;

use super::{
    counties::{Counties, Shelf, Sum},
    fields::Fields,
    indices::Ginis,
    live::Kept,
    load::{Loaded, load},
    rulebook::{Book, Rulebook},
};
use crate::{
    Context, Error,
    areas::{self, rows::AreaLine},
    households::rural_populations,
    sheet::refused,
};

/// An area with its households.
pub(super) struct Picture<'c> {
    pub(super) tree: Tree,
    pub(super) census: &'c Census,
    pub(super) fields: Fields,
    /// What a server keeps, where the area is all of it.
    kept: Option<&'c Kept>,
}

/// An area with those inside it.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) area: AreaCode,
    areas: Vec<(AreaLine, Option<i64>)>,
    /// Whether its villages are among them: what is known of these alone adds up to populations.
    is_whole: bool,
}

/// What is looked at.
pub(super) struct Wanted {
    pub(super) area: AreaCode,
    /// The names and amounts that are asked about.
    pub(super) fields: Fields,
    /// The year of which amounts are asked.
    pub(super) year: i64,
    /// Whether rules ask them: of years long gone only incomes a head are in memory.
    pub(super) asks_amounts: bool,
}

/// An area that was read from the database.
pub(super) struct Stored {
    tree: Tree,
    pub(super) loaded: Loaded,
    /// What it took to read it.
    pub(super) load_seconds: f64,
}

/// Areas of one level, with the one of each village or county that they are put together from.
pub(super) struct Parts {
    pub(super) lines: Vec<Part>,
    /// Of each piece, the place among the lines.
    pub(super) of_piece: Vec<u32>,
}

/// An area of which something is told.
pub(super) struct Part {
    pub(super) code: String,
    /// None where the tree has no such area.
    pub(super) name: Option<String>,
    /// On the day that is asked about, if it is known and the tree goes down to the villages.
    pub(super) rural_population: Option<i64>,
}

/// How many threads take part in an answer.
pub(super) fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// An area with those inside it down to a level, if it is known.
async fn tree_of(tx: &mut Tx, area: AreaCode, deepest: AreaLevel) -> Result<Tree, Error> {
    let areas = areas::rows::down_to(tx, &Scope::of([area.clone()]), deepest).await?;
    match areas.iter().any(|(line, _)| line.code == area.as_str()) {
        true => Ok(Tree { area, areas, is_whole: deepest == AreaLevel::Village }),
        false => Err(Error::NotFound("area")),
    }
}

impl Stored {
    /// Reads an area, if the whole of it lies inside the scope; of one year all amounts.
    pub(super) async fn read(
        context: &Context,
        scope: &Scope,
        area: AreaCode,
        (fields, year): (Fields, i64),
    ) -> Result<Self, Error> {
        let scope = areas::ops::reported(scope, &area)?;
        let keys = Arc::clone(&context.keys);
        let started = Instant::now();
        let code = area;
        let read = async move |tx: &mut Tx| {
            let tree = tree_of(tx, code, AreaLevel::Village).await?;
            Ok::<_, Error>((load(tx, (&keys, fields), &scope, year).await?, tree))
        };
        let read = context.db.read_scan(move |tx| async move { read(tx).await }.boxed());
        let (loaded, tree) = read.await?;
        let load_seconds = started.elapsed().as_secs_f64();
        Ok(Self { tree, loaded, load_seconds })
    }

    /// As it is looked at under these fields.
    pub(super) fn picture(&self, fields: Fields) -> Picture<'_> {
        Picture { tree: self.tree.clone(), census: &self.loaded.census, fields, kept: None }
    }
}

/// Looks at an area, if the whole of it lies inside the scope: in the picture that a server keeps, as it stands now, or else in
/// what the database has. `look` works on a thread of its own.
pub(super) async fn look<T: Send + 'static>(
    context: &Context,
    scope: &Scope,
    wanted: Wanted,
    look: impl FnOnce(&Picture<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let Wanted { area, fields, year, asks_amounts } = wanted;
    if !is_kept(context, scope, &area, asks_amounts.then_some(year)).await? {
        return look_at_stored(context, scope, (area, fields, year), look).await;
    }
    let tree = tree(context, area.clone(), AreaLevel::Village).await?;
    let live = context.live.clone();
    let work = move || {
        live.look(|kept| {
            let kept = kept.ok_or(Error::Refused("monitor.starting"))?;
            let part;
            let (census, kept) = match kept.part(&area) {
                None => (&kept.census, Some(kept)),
                Some(own) => {
                    part = own;
                    (&part, None)
                }
            };
            look(&Picture { tree, census, fields, kept })
        })
    };
    spawn_blocking(work).await.map_err(|_| Error::Cancelled)?
}

async fn tree(context: &Context, area: AreaCode, deepest: AreaLevel) -> Result<Tree, Error> {
    let read = async move |tx: &mut Tx| tree_of(tx, area, deepest).await;
    context.db.read(move |tx| async move { read(tx).await }.boxed()).await
}

/// An area whose figures are sums.
pub(super) struct Summed<'c, T> {
    pub(super) tree: Tree,
    pub(super) counties: Counties<T>,
    pub(super) census: &'c Census,
    /// Of a server that keeps them.
    pub(super) ginis: Option<&'c Ginis>,
}

/// What an area is summed up by.
pub(super) struct SumsWanted {
    pub(super) area: AreaCode,
    /// Of the areas inside it those down to this level are told.
    pub(super) deepest: AreaLevel,
    pub(super) book: Arc<Book>,
    /// The year of which amounts are asked.
    pub(super) year: i64,
    /// Whether they are.
    pub(super) asks_amounts: bool,
}

/// Sums an area up, if the whole of it lies inside the scope: as [`look`] has it, but where a server keeps the households, only
/// those counties are asked that were written since somebody asked last. `ask` says what the villages of households come to.
pub(super) async fn summed<T: Sum + Send + Sync + 'static, R: Send + 'static>(
    context: &Context,
    scope: &Scope,
    wanted: SumsWanted,
    (shelf, ask): (
        fn(&Kept) -> &Shelf<T>,
        impl Fn(&Census, Range<usize>) -> Vec<(String, T)> + Send + 'static,
    ),
    tell: impl FnOnce(Summed<'_, T>) -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    let SumsWanted { area, deepest, book, year, asks_amounts } = wanted;
    if !is_kept(context, scope, &area, asks_amounts.then_some(year)).await? {
        let of = (area, book.fields.clone(), year);
        let told = move |picture: &Picture<'_>| {
            let census = picture.census;
            let counties = Counties::of(ask(census, 0..census.households()));
            tell(Summed { tree: picture.tree.clone(), counties, census, ginis: None })
        };
        return look_at_stored(context, scope, of, told).await;
    }
    let tree = tree(context, area.clone(), deepest).await?;
    let live = context.live.clone();
    let work = move || {
        live.look(|kept| {
            let kept = kept.ok_or(Error::Refused("monitor.starting"))?;
            let counties = shelf(kept).of((&kept.census, area.as_str()), &book, ask);
            tell(Summed { tree, counties, census: &kept.census, ginis: Some(&kept.ginis) })
        })
    };
    spawn_blocking(work).await.map_err(|_| Error::Cancelled)?
}

/// True if what a server keeps, brought up to the database, answers about an area, the whole of which must lie inside the scope;
/// false if the database must be read. Of one year all amounts are kept: below a county nobody waits for those of another.
async fn is_kept(
    context: &Context,
    scope: &Scope,
    area: &AreaCode,
    amounts_of: Option<i64>,
) -> Result<bool, Error> {
    areas::ops::reported(scope, area)?;
    if !context.live.is_kept() {
        return Ok(false);
    }
    context.live.catch_up(context).await?;
    let has_year = |year| context.live.look(|kept| kept.is_some_and(|kept| kept.year == year));
    match amounts_of.is_none_or(has_year) {
        true => Ok(true),
        false if area.level() < AreaLevel::County => Err(refused("on", "monitor.year_not_kept")),
        false => Ok(false),
    }
}

async fn look_at_stored<T: Send + 'static>(
    context: &Context,
    scope: &Scope,
    (area, fields, year): (AreaCode, Fields, i64),
    look: impl FnOnce(&Picture<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let stored = Stored::read(context, scope, area, (fields.clone(), year)).await?;
    let work = move || look(&stored.picture(fields));
    spawn_blocking(work).await.map_err(|_| Error::Cancelled)?
}

impl Tree {
    /// The name of the area.
    pub(super) fn name(&self) -> Option<&str> {
        let own = self.areas.iter().find(|(line, _)| line.code == self.area.as_str());
        own.map(|(line, _)| line.name.as_str())
    }

    /// The areas of a level that lie in this one, those included in which no household lives; itself, where no level is asked
    /// for. Each of the pieces lies in one of them.
    pub(super) fn parts<'v>(
        &self,
        by: Option<AreaLevel>,
        on: Day,
        pieces: impl Iterator<Item = &'v str>,
    ) -> Parts {
        let digits = by.map_or(self.area.as_str().len(), AreaLevel::digits);
        let today = on.to_string();
        let known = if self.is_whole { &self.areas[..] } else { &[] };
        let populations = rural_populations(known, &today);
        let of_level = self.areas.iter().map(|(line, _)| line);
        let of_level = of_level.filter(|line| line.code.len() == digits);
        let mut lines: Vec<Part> = of_level
            .map(|line| Part {
                code: line.code.clone(),
                name: Some(line.name.clone()),
                rural_population: populations.get(line.code.as_str()).and_then(|own| own.0),
            })
            .collect();
        lines.sort_by(|one, other| one.code.cmp(&other.code));
        let mut of_piece = Vec::new();
        for piece in pieces {
            let code = piece.get(..digits).unwrap_or(piece);
            let place = lines.binary_search_by(|line| line.code.as_str().cmp(code));
            // What the tree does not have is told of all the same.
            let place = place.unwrap_or_else(|_| {
                let known = lines.iter().position(|line| line.code == code);
                known.unwrap_or_else(|| {
                    let (name, rural_population) = (None, None);
                    lines.push(Part { code: code.to_owned(), name, rural_population });
                    lines.len() - 1
                })
            });
            of_piece.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        Parts { lines, of_piece }
    }
}

impl Picture<'_> {
    /// What a plan says of all households, with what is added to their income.
    pub(super) fn ask(
        &self,
        rulebook: &Rulebook,
        plan: &Plan,
        on: Day,
        added: &[i64],
    ) -> Assessment {
        let census = self.census;
        let places = census.places(|village| rulebook.place_of(village));
        let shape = &self.fields.shape;
        let question = Question { shape, on, places: &places, added_fen: added };
        assess(census, plan, question, 0..census.households(), threads())
    }

    /// What the guarantees say of all households, without the reasons: asked once, where a server keeps the households, until
    /// somebody writes.
    pub(super) fn guarantees(&self, book: &Arc<Book>, on: Day) -> Arc<Assessment> {
        let ask = || {
            let mut all = self.ask(&book.rules, &book.rules.guarantees.plan, on, &[]);
            all.rules.iter_mut().for_each(|rule| rule.reasons = Vec::new());
            Arc::new(all)
        };
        self.kept.map_or_else(ask, |kept| kept.guarantees(book, ask))
    }

    /// The poverty line of each village, in fen; none where no pack has it.
    pub(super) fn lines_fen(&self, rulebook: &Rulebook) -> Vec<Option<i64>> {
        let villages = self.census.villages().iter();
        villages.map(|village| rulebook.line_fen(village, &self.fields)).collect()
    }

    /// As [`Tree::parts`], with the one of each village of the census.
    pub(super) fn parts(&self, by: Option<AreaLevel>, on: Day) -> Parts {
        self.tree.parts(by, on, self.census.villages().iter().map(String::as_str))
    }
}
