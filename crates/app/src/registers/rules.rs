//! Rules of single rows of registers, the same for imports and for the interface. Pure.

use daohu_base::{AreaCode, AreaLevel};
use daohu_db::Value;
use daohu_policy::Policy;

use crate::{
    households::Marks,
    quality::Cells,
    sheet::{CADRES, CellError, ORGANISATIONS, PAIRINGS, Sheet, TEAMS, cadre, pairing, team},
};

/// A cell that refuses its row.
#[derive(Debug)]
pub(crate) struct BadCell {
    pub(crate) column: usize,
    /// What stands in it.
    pub(crate) shown: Option<String>,
    pub(crate) error: CellError,
}

/// True if a row of 结对 helps a household.
pub(crate) fn helps_household(policy: &Policy, values: &[Value]) -> bool {
    Marks::new(policy).has("对象类型", Cells(values).int(pairing::OBJECT_KIND), "household")
}

/// The columns of the first and last day of what has a beginning and an end.
fn period_of(sheet: &Sheet) -> Option<[usize; 2]> {
    match sheet.name {
        name if name == TEAMS.name => Some([team::STARTS_ON, team::ENDS_ON]),
        name if name == PAIRINGS.name => Some([pairing::STARTS_ON, pairing::ENDS_ON]),
        _ => None,
    }
}

/// Refuses what ends before it begins.
pub(crate) fn accept_period(sheet: &Sheet, values: &[Value]) -> Result<(), BadCell> {
    let Some([from, to]) = period_of(sheet) else { return Ok(()) };
    match (Cells(values).text(from), Cells(values).text(to)) {
        (Some(first), Some(last)) if last < first => {
            let shown = Some(last.to_owned());
            Err(BadCell { column: to, shown, error: CellError::BeforeStart })
        }
        _ => Ok(()),
    }
}

/// Refuses a pairing whose area is of another level than the row says; puts its code without padding.
pub(crate) fn accept_object(marks: Marks<'_>, values: &mut [Value]) -> Result<(), BadCell> {
    let kind = Cells(values).int(pairing::OBJECT_KIND);
    let levels = [
        ("county", AreaLevel::County),
        ("township", AreaLevel::Township),
        ("village", AreaLevel::Village),
    ];
    let is = |mark: &str| marks.has("对象类型", kind, mark);
    let Some((_, level)) = levels.into_iter().find(|(mark, _)| is(mark)) else {
        return Ok(());
    };
    let Some(given) = values.get_mut(pairing::OBJECT) else { return Ok(()) };
    let code = given.as_text().and_then(|code| AreaCode::parse(code).ok());
    match code.filter(|code| code.level() == level) {
        Some(code) => *given = code.to_string().into(),
        None => {
            let (column, shown) = (pairing::OBJECT, given.as_text().map(str::to_owned));
            let error = CellError::NotAnArea { digits: Some(level.digits()) };
            return Err(BadCell { column, shown, error });
        }
    }
    Ok(())
}

/// What rows name by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    Organisation,
    Cadre,
    Team,
}

impl Named {
    const ALL: [Self; 3] = [Self::Organisation, Self::Cadre, Self::Team];

    pub(crate) fn sheet(self) -> &'static Sheet {
        match self {
            Self::Organisation => &ORGANISATIONS,
            Self::Cadre => &CADRES,
            Self::Team => &TEAMS,
        }
    }

    /// What a good row of this sheet makes known.
    pub(crate) fn of(sheet: &Sheet) -> Option<Self> {
        Self::ALL.into_iter().find(|named| named.sheet().name == sheet.name)
    }
}

/// What a row names, and in which column.
pub(crate) fn named_by(
    marks: Marks<'_>,
    sheet: &Sheet,
    values: &[Value],
) -> Option<(usize, Named, String)> {
    let (i, named) = match sheet.name {
        name if name == CADRES.name => (cadre::ORGANISATION, Named::Organisation),
        name if name == TEAMS.name => (team::CADRE, Named::Cadre),
        name if name == PAIRINGS.name => {
            let kind = Cells(values).int(pairing::SUBJECT_KIND);
            let is = |mark: &str| marks.has("主体类型", kind, mark);
            let named = match () {
                () if is("organisation") => Named::Organisation,
                () if is("team") => Named::Team,
                () => Named::Cadre,
            };
            (pairing::SUBJECT, named)
        }
        _ => return None,
    };
    Some((i, named, Cells(values).text(i)?.to_owned()))
}
