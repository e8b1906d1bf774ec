//! Rules of single rows of registers, the same for imports and for the interface. Pure.

use daohu_base::{AreaCode, AreaLevel, Day};
use daohu_db::Value;
use daohu_policy::Policy;

use super::model::Register;
use crate::{
    households::Marks,
    quality::Cells,
    sheet::{
        CADRES, CellError, INDICATORS, ORGANISATIONS, PAIRINGS, Sheet, TARGETS, TEAMS, VILLAGES,
        cadre, first_day, indicator, pairing, target, team, village,
    },
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
    let mut levels = [AreaLevel::County, AreaLevel::Township, AreaLevel::Village].into_iter();
    let level = levels.find(|level| marks.has("对象类型", kind, level.as_str()));
    let Some(level) = level else { return Ok(()) };
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

/// The first day that a row says something of: of its period or its year, or today where it has none.
fn first_day_of(sheet: &Sheet, values: &[Value], today: Day) -> String {
    let year = |i: usize| Cells(values).int(i).map(|year| format!("{year:04}-01-01"));
    let first = match sheet.name {
        name if name == VILLAGES.name => year(village::YEAR),
        name if name == TARGETS.name => year(target::YEAR),
        name if name == INDICATORS.name => Cells(values).text(indicator::PERIOD).map(first_day),
        _ => period_of(sheet).and_then(|[from, _]| Cells(values).text(from).map(str::to_owned)),
    };
    first.unwrap_or_else(|| today.to_string())
}

/// The column by which a row says of its area what was after that area's last day: its own, or that of the last
/// day where the row begins in time and does not end. None where nothing of the kind differs from what is stored:
/// what is there already may stay.
pub(crate) fn outlives(
    register: &Register,
    (stored, values): (Option<&[Value]>, &[Value]),
    (end, today): (Day, Day),
) -> Option<usize> {
    let period = period_of(register.sheet);
    let mut told = period.into_iter().flatten().chain([register.area]);
    if stored.is_some_and(|stored| told.all(|i| stored.get(i) == values.get(i))) {
        return None;
    }
    let last_day = end.to_string();
    if first_day_of(register.sheet, values, today) > last_day {
        return Some(register.area);
    }
    let [_, to] = period?;
    let goes_on = Cells(values).text(to).is_none_or(|to| to > last_day.as_str());
    // An end to come is no end yet.
    (goes_on && end < today).then_some(to)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The column of a row that outlives its area, which ended on 2020-11-22.
    fn refused(
        sheet: &Sheet,
        cells: &[(usize, Value)],
        stored: Option<&[(usize, Value)]>,
    ) -> Option<usize> {
        let register = Register::of(sheet).unwrap();
        let row = |cells: &[(usize, Value)]| {
            let mut values = vec![Value::Null; sheet.columns.len()];
            for (i, value) in cells {
                values[*i] = value.clone();
            }
            values
        };
        let (end, today) = (Day::parse("2020-11-22").unwrap(), Day::parse("2021-03-01").unwrap());
        let stored = stored.map(row);
        outlives(register, (stored.as_deref(), &row(cells)), (end, today))
    }

    #[test]
    fn what_was_while_the_area_was_is_welcome() {
        let year = |year: i64| vec![(village::YEAR, Value::from(year))];
        assert_eq!(refused(&VILLAGES, &year(2020), None), None);
        assert_eq!(refused(&VILLAGES, &year(2021), None), Some(village::VILLAGE));
        let year = |year: i64| vec![(target::YEAR, Value::from(year))];
        assert_eq!(refused(&TARGETS, &year(2020), None), None);
        assert_eq!(refused(&TARGETS, &year(2021), None), Some(target::AREA));
        let period = |period: &str| vec![(indicator::PERIOD, Value::from(period))];
        assert_eq!(refused(&INDICATORS, &period("2020Q4"), None), None);
        assert_eq!(refused(&INDICATORS, &period("2020-12"), None), Some(indicator::AREA));
        // Offices are where they are today.
        assert_eq!(
            refused(&ORGANISATIONS, &[], None),
            Some(Register::of(&ORGANISATIONS).unwrap().area)
        );
    }

    #[test]
    fn who_helps_stops_with_the_area() {
        let term = |from: &str, to: Option<&str>| {
            vec![(pairing::STARTS_ON, Value::from(from)), (pairing::ENDS_ON, to.into())]
        };
        let of = |from, to| refused(&PAIRINGS, &term(from, to), None);
        assert_eq!(of("2018-01-01", Some("2020-11-22")), None);
        assert_eq!(of("2018-01-01", Some("2020-11-23")), Some(pairing::ENDS_ON));
        assert_eq!(of("2018-01-01", None), Some(pairing::ENDS_ON));
        assert_eq!(of("2020-11-23", None), Some(pairing::OBJECT));
        // What is stored may stay as it is, and not begin to help again.
        let open = term("2018-01-01", None);
        assert_eq!(refused(&PAIRINGS, &open, Some(&open)), None);
        let ended = term("2018-01-01", Some("2020-11-22"));
        assert_eq!(refused(&PAIRINGS, &open, Some(&ended)), Some(pairing::ENDS_ON));
    }
}
