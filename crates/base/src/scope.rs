//! Who acts, and what of the country they may see.

use crate::{AreaCode, AreaLevel};

/// The part of the country that a request may touch: a union of area subtrees.
///
/// Architecture invariant: business data is never queried without one. A scope is made from a
/// user's grants (`app::accounts`) or, for commands run on the server itself, by [`Scope::all`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Ascending, none inside another. `None` is the whole country.
    areas: Option<Vec<AreaCode>>,
}

impl Scope {
    /// Everything: for the commands of whoever owns the database file.
    pub const fn all() -> Self {
        Self { areas: None }
    }

    /// Nothing at all.
    pub const fn nothing() -> Self {
        Self { areas: Some(Vec::new()) }
    }

    /// The union of these subtrees.
    pub fn of(areas: impl IntoIterator<Item = AreaCode>) -> Self {
        let mut areas: Vec<AreaCode> = areas.into_iter().collect();
        areas.sort();
        let mut kept: Vec<AreaCode> = Vec::with_capacity(areas.len());
        for area in areas {
            if !kept.last().is_some_and(|last| last.contains(&area)) {
                kept.push(area);
            }
        }
        Self { areas: Some(kept) }
    }

    /// True if nothing lies inside.
    pub fn is_nothing(&self) -> bool {
        self.areas.as_ref().is_some_and(Vec::is_empty)
    }

    /// True if the whole subtree of the area lies inside.
    pub fn contains(&self, area: &AreaCode) -> bool {
        match &self.areas {
            None => true,
            Some(areas) => areas.iter().any(|mine| mine.contains(area)),
        }
    }

    /// As [`Scope::contains`], of a code as it is stored; one that is no code lies nowhere.
    pub fn covers(&self, code: &str) -> bool {
        AreaCode::parse(code).is_ok_and(|area| self.contains(&area))
    }

    /// True if part of the area's subtree lies inside.
    pub fn touches(&self, area: &AreaCode) -> bool {
        match &self.areas {
            None => true,
            Some(areas) => areas.iter().any(|mine| mine.contains(area) || area.contains(mine)),
        }
    }

    /// What lies in both: the scope narrowed to an area that the user chose.
    pub fn narrowed_to(&self, area: &AreaCode) -> Self {
        match &self.areas {
            None => Self::of([area.clone()]),
            Some(mine) if mine.iter().any(|m| m.contains(area)) => Self::of([area.clone()]),
            Some(mine) => Self::of(mine.iter().filter(|m| area.contains(m)).cloned()),
        }
    }

    /// The counties in which the scope lies, where a part of it is less than a county.
    pub fn counties(&self) -> Self {
        let county = |area: &AreaCode| area.at(AreaLevel::County).unwrap_or_else(|| area.clone());
        match &self.areas {
            None => Self::all(),
            Some(areas) => Self::of(areas.iter().map(county)),
        }
    }

    /// The half-open ranges of village codes that make up the scope; `None` for all of them.
    pub fn ranges(&self) -> Option<Vec<(String, String)>> {
        let range = |area: &AreaCode| (area.as_str().to_owned(), area.end());
        self.areas.as_ref().map(|areas| areas.iter().map(range).collect())
    }

    /// The subtrees of the scope, for display; `None` for the whole country.
    pub fn areas(&self) -> Option<&[AreaCode]> {
        self.areas.as_deref()
    }
}

/// Who acts, and under which authority: what the journal writes beside every change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user's name, or `system` for commands on the server.
    pub name: String,
    /// The grant or command that allows the act: `county_clerk@500242`, `command import`.
    pub authority: String,
}

impl Actor {
    /// The owner of the database, running a command on the server.
    pub fn command(name: &str) -> Self {
        Self { name: "system".to_owned(), authority: format!("command {name}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    #[test]
    fn a_union_drops_what_lies_inside_another() {
        let scope = Scope::of([area("500242100"), area("500242"), area("520000")]);
        assert_eq!(scope.areas().unwrap(), [area("500242"), area("52")]);
        assert!(scope.contains(&area("500242100201")));
        assert!(scope.touches(&area("50")) && !scope.contains(&area("50")));
        assert!(!scope.touches(&area("500243")));
    }

    #[test]
    fn what_is_less_than_a_county_lies_in_one() {
        let scope =
            Scope::of([area("500242100"), area("500242101201"), area("500243"), area("52")]);
        let counties = Scope::of([area("500242"), area("500243"), area("52")]);
        assert_eq!(scope.counties(), counties);
        assert_eq!(Scope::all().counties(), Scope::all());
        assert_eq!(Scope::nothing().counties(), Scope::nothing());
    }

    #[test]
    fn narrowing_never_widens() {
        let scope = Scope::of([area("500242")]);
        assert_eq!(scope.narrowed_to(&area("500242100")), Scope::of([area("500242100")]));
        assert_eq!(scope.narrowed_to(&area("50")), scope);
        assert_eq!(scope.narrowed_to(&area("500243")), Scope::nothing());
        assert_eq!(Scope::all().narrowed_to(&area("52")), Scope::of([area("52")]));
    }

    #[test]
    fn nothing_has_no_ranges_and_all_has_no_bounds() {
        assert_eq!(Scope::nothing().ranges(), Some(vec![]));
        assert_eq!(Scope::all().ranges(), None);
    }
}
