//! Items that hold in an area and for some days: the nearest area goes first, then the pack that came last.

use daohu_base::{AreaCode, Day};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::BadPack;

/// Where and when an item holds, where it stands, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The area; none of an item that holds everywhere.
    pub area: Option<AreaCode>,
    /// The first day.
    pub since: Option<Day>,
    /// The last day.
    pub until: Option<Day>,
    /// The file, relative to the pack.
    pub file: String,
    /// The line of the file at which it begins, from 1.
    pub line: usize,
    /// The document, or how it was chosen.
    pub source: String,
    /// True of what is doubtful or still to be set: it is kept and shown, and does not hold.
    pub open: bool,
    /// Of which pack, in the order in which they were read.
    pub(crate) pack: usize,
}

/// An item of a pack.
pub trait Item {
    /// What it is called; items of one id go before each other.
    fn id(&self) -> &str;

    /// Where and when it holds.
    fn standing(&self) -> &Standing;
}

/// A file of a pack, as items remember it.
#[derive(Clone, Copy)]
pub(crate) struct FileOf<'f> {
    pub(crate) name: &'f str,
    pub(crate) text: &'f str,
    pub(crate) area: Option<&'f AreaCode>,
    pub(crate) pack: usize,
}

/// The days of an item as files write them: from a day to a day, or a year.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Days {
    pub(crate) year: Option<i64>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub(crate) since: Option<Day>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub(crate) until: Option<Day>,
}

impl FileOf<'_> {
    /// The line at which a part of the text begins, from 1.
    pub(crate) fn line(&self, start: usize) -> usize {
        self.text.get(..start).unwrap_or_default().matches('\n').count() + 1
    }

    /// The standing of an item that begins at a place of the text.
    pub(crate) fn standing(
        &self,
        start: usize,
        days: Days,
        (source, open): (String, bool),
    ) -> Result<Standing, BadPack> {
        let line = self.line(start);
        let of_year = |month, day| days.year.and_then(|year| Day::new(year, month, day));
        if days.year.is_some() && (days.since.is_some() || days.until.is_some()) {
            return Err(self.bad(
                line,
                "year 与 since、until 不能同时写",
                "a year has no other days",
            ));
        }
        if days.year.is_some() && of_year(1, 1).is_none() {
            return Err(self.bad(line, "没有这一年度", "there is no such year"));
        }
        let since = days.since.or_else(|| of_year(1, 1));
        let until = days.until.or_else(|| of_year(12, 31));
        if since.zip(until).is_some_and(|(since, until)| until < since) {
            return Err(self.bad(line, "结束日期早于开始日期", "it ends before it begins"));
        }
        let area = self.area.cloned();
        let file = self.name.to_owned();
        Ok(Standing { area, since, until, file, line, source, open, pack: self.pack })
    }

    /// What is wrong at a line.
    pub(crate) fn bad(&self, line: usize, zh: &str, en: &str) -> BadPack {
        BadPack::at(self.name, line, zh, en)
    }
}

impl Standing {
    /// True if the item is asked for on a day.
    pub fn is_in_force(&self, on: Day) -> bool {
        !self.open
            && self.since.is_none_or(|since| since <= on)
            && self.until.is_none_or(|until| on <= until)
    }

    /// True if the item holds in the area of a code.
    pub fn covers(&self, area: &str) -> bool {
        self.area.as_ref().is_none_or(|own| area.starts_with(own.as_str()))
    }

    /// True if there is a day that belongs to both.
    fn meets(&self, other: &Self) -> bool {
        let begins_by =
            |from: Option<Day>, to: Option<Day>| from.zip(to).is_none_or(|(from, to)| from <= to);
        begins_by(self.since, other.until) && begins_by(other.since, self.until)
    }

    /// What goes first among items of one id: the nearest area, then the last pack.
    fn rank(&self) -> (usize, usize) {
        (self.area.as_ref().map_or(0, |area| area.as_str().len()), self.pack)
    }
}

/// All items of a kind, of all packs, in the order in which they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Items<T>(Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Item> Items<T> {
    pub(crate) fn add(&mut self, items: impl IntoIterator<Item = T>) {
        self.0.extend(items);
    }

    /// All of them, those included that do not hold.
    pub fn all(&self) -> &[T] {
        &self.0
    }

    /// The one of an id that holds in an area on a day.
    pub fn find(&self, id: &str, area: &str, on: Day) -> Option<&T> {
        let own = self.0.iter().filter(|item| item.id() == id);
        let held = own.filter(|item| {
            let standing = item.standing();
            standing.is_in_force(on) && standing.covers(area)
        });
        held.max_by_key(|item| item.standing().rank())
    }

    /// Those that hold in an area on a day, one of each id, in the order in which the ids were first read.
    pub fn at(&self, area: &str, on: Day) -> Vec<&T> {
        self.ids().into_iter().filter_map(|id| self.find(id, area, on)).collect()
    }

    /// Each id once, in the order in which they were first read.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = Vec::new();
        for item in &self.0 {
            if !ids.contains(&item.id()) {
                ids.push(item.id());
            }
        }
        ids
    }

    /// Those of an id, as they go before each other in an area: first what holds there, wherever and whenever it holds.
    pub fn of_id(&self, id: &str, area: &str) -> Vec<&T> {
        let own = self.0.iter().filter(|item| item.id() == id && item.standing().covers(area));
        let mut own: Vec<&T> = own.collect();
        own.sort_by_key(|item| {
            let standing = item.standing();
            (std::cmp::Reverse(standing.rank()), standing.since)
        });
        own
    }

    /// Refuses a pack that says two things of one id for the same area and day.
    pub(crate) fn check_once(&self) -> Result<(), BadPack> {
        for (nth, own) in self.0.iter().enumerate() {
            let standing = own.standing();
            let twice = self.0.iter().skip(nth + 1).find(|other| {
                let its = other.standing();
                other.id() == own.id()
                    && (its.pack, &its.area, its.open)
                        == (standing.pack, &standing.area, standing.open)
                    && standing.meets(its)
            });
            if let Some(other) = twice {
                let (id, its) = (own.id(), other.standing());
                let first = format!("{} {}", standing.file, standing.line);
                let zh = format!("{id} 在同一地区同一天写了两次（另一处：{first}）");
                let en =
                    format!("{id} stands here twice for the same area and days (first: {first})");
                return Err(BadPack::at(&its.file, its.line, &zh, &en));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Files, Policy};

    const VILLAGE: &str = "500242100201";

    fn guarantee(days: &str, met: &str) -> String {
        format!(
            "[[guarantee]]\nid = 'water'\ntitle = '水'\ntitle_en = 'water'\nsource = 'a test'\n\
             unmet = '!water_is_safe'\nmet = '{met}'\n{days}\n"
        )
    }

    fn value(year: i64, value: &str) -> String {
        format!("[[value]]\nof = 'line'\nyear = {year}\nvalue = {value}\nsource = 'a test'\n")
    }

    fn packs(packs: &[&[(&str, &str)]]) -> Result<Policy, BadPack> {
        let packs: Vec<Files<'_>> = packs.iter().map(|files| files.to_vec()).collect();
        Policy::embedded_under(&packs)
    }

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn each_day_has_one_item_of_an_id_at_most() {
        let pack = |days: &[&str]| {
            let text: String = days.iter().map(|days| guarantee(days, "is_unsafe")).collect();
            packs(&[&[("own.toml", text.as_str())]])
        };
        let policy =
            pack(&["until = '2017-12-31'", "since = '2018-01-01'\nuntil = '2020-12-31'"]).unwrap();
        let met = |on: &str| {
            let found = policy.guarantees().find("water", VILLAGE, day(on)).unwrap();
            (found.met.text.as_str().to_owned(), found.standing().file.clone())
        };
        for on in ["2017-12-31", "2018-01-01", "2020-12-31"] {
            assert_eq!(met(on), ("is_unsafe".to_owned(), "own.toml".to_owned()), "{on}");
        }
        assert_eq!(
            met("2021-01-01").1,
            "national/guarantees.toml",
            "what stood before holds again"
        );
        for (days, says) in [
            (&["", ""][..], "twice"),
            (&["until = '2018-01-01'", "since = '2018-01-01'"], "twice"),
            (&["since = '2018-01-01'", "since = '2019-01-01'\nuntil = '2019-12-31'"], "twice"),
            (&["since = '2018-01-01'\nuntil = '2017-12-31'"], "before it begins"),
            (&["since = '2018-02-30'"], "day"),
        ] {
            let error = pack(days).unwrap_err();
            assert_eq!(error.file, "own.toml");
            assert!(error.reason.contains(says), "{days:?}: {}", error.reason);
        }
    }

    #[test]
    fn two_files_of_a_pack_do_not_say_one_thing_twice() {
        let own = guarantee("", "is_unsafe");
        let error = packs(&[&[("a.toml", own.as_str()), ("b.toml", own.as_str())]]).unwrap_err();
        assert_eq!(error.file, "b.toml");
        assert!(error.reason.contains("line 2") && error.reason.contains("a.toml 2"), "{error}");
        let policy = packs(&[&[("a.toml", own.as_str())], &[("b.toml", own.as_str())]]).unwrap();
        let found = policy.guarantees().find("water", VILLAGE, day("2016-01-01")).unwrap();
        assert_eq!(found.standing().file, "b.toml", "of two packs, the last goes first");
    }

    #[test]
    fn the_nearest_area_goes_first_item_by_item() {
        let of = |area: &str, items: &str| format!("area = '{area}'\n{items}");
        let county = of("500242", &(value(2015, "3100") + &guarantee("", "is_unsafe")));
        let township = of("500242100", &value(2015, "3200.5"));
        let province = of("500000", &(value(2015, "3080") + &value(2016, "3100")));
        let policy = packs(&[
            &[("township.toml", &township), ("county.toml", &county)],
            &[("province.toml", &province)],
        ])
        .unwrap();
        for (area, year, yuan) in [
            ("500242100201", 2015, 3200.5),
            ("500242101201", 2015, 3100.0),
            ("500241100201", 2015, 3080.0),
            ("500242100201", 2016, 3100.0),
            ("530822100201", 2015, 2855.0),
            ("50", 2015, 3080.0),
            ("500242100201", 2014, 2800.0),
        ] {
            let fen = policy.amount("line", area, Day::new(year, 12, 31).unwrap()).unwrap();
            assert_eq!((fen / 100.0).to_string(), f64::to_string(&yuan), "{area} {year}");
        }
        let own = policy.guarantees().find("water", VILLAGE, day("2015-12-31")).unwrap();
        assert_eq!(own.standing().file, "county.toml", "items of a county reach its villages");
        assert_eq!(policy.amount("line", VILLAGE, day("2009-12-31")), None);
        let areas: Vec<&str> = policy.areas().iter().map(|area| area.as_str()).collect();
        for area in ["50", "500242", "500242100"] {
            assert!(areas.contains(&area), "{areas:?}");
        }
        let places: Vec<String> = policy
            .values()
            .of_id("line", VILLAGE)
            .iter()
            .filter(|value| value.standing.is_in_force(day("2015-06-30")))
            .map(|value| value.standing.file.clone())
            .collect();
        assert_eq!(
            places,
            ["township.toml", "county.toml", "province.toml", "national/lines.toml"]
        );
    }

    #[test]
    fn what_is_open_is_kept_and_does_not_hold() {
        let text = "area = '50'\n[[value]]\nof = 'line'\nyear = 2016\nvalue = 3100\nopen = true\n\
                    source = ''\n[[value]]\nof = 'line'\nyear = 2017\nopen = true\nsource = ''\n";
        let policy = packs(&[&[("own.toml", text)]]).unwrap();
        assert_eq!(policy.amount("line", VILLAGE, day("2016-05-01")), Some(295_200.0));
        let open = policy.values().of_id("line", VILLAGE);
        let open: Vec<Option<f64>> =
            open.iter().filter(|value| value.standing.open).map(|value| value.amount).collect();
        assert_eq!(open[..2], [Some(310_000.0), None]);
    }

    #[test]
    fn what_a_pack_cannot_mean_is_refused_with_file_and_line() {
        let of = |area: &str, items: &str| format!("area = '{area}'\n{items}");
        for (text, says) in [
            (of("500000", &value(2016, "2900")), "line 3: 50 的 line 2900 低于上级的 2952"),
            (of("5", ""), "no area code"),
            (of("500000", "[security]\nsource = ''"), "missing field"),
            (
                of("500000", "[[standard]]\nid = 'x'\ntitle = ''\ntitle_en = ''\nunit = 'yuan'"),
                "installation",
            ),
            (value(2016, "2952.001"), "two decimals"),
            (value(2016, "nan"), "two decimals"),
            (value(2016, "2952").replace("line", "lime"), "no standard lime; there are: "),
            (value(2016, "2952").replace("value = 2952\n", ""), "open = true"),
            (value(2016, "2952") + "since = '2016-01-01'\n", "year"),
            (value(2016, "2952").replace("year", "yaer"), "yaer"),
        ] {
            let error = packs(&[&[("own.toml", &text)]]).unwrap_err();
            assert_eq!(error.file, "own.toml");
            assert!(error.reason.contains(says), "{text}: {}", error.reason);
        }
        // Below its own township's it may be, not below its county's.
        let county = of("500242", &value(2015, "3100"));
        let township = of("500242100", &value(2015, "3000"));
        let error =
            packs(&[&[("county.toml", &county)], &[("township.toml", &township)]]).unwrap_err();
        assert!(error.reason.contains("3100") && error.reason.contains("county.toml 3"), "{error}");
    }

    #[test]
    fn other_texts_are_another_version() {
        let one = packs(&[&[("a.toml", &value(2015, "3000"))]]).unwrap();
        let same = packs(&[&[("a.toml", &value(2015, "3000"))]]).unwrap();
        let other = packs(&[&[("a.toml", &value(2015, "3001"))]]).unwrap();
        assert_eq!(one.version(), same.version());
        assert_ne!(one.version(), other.version());
        assert_eq!(one.version().len(), 16);
    }
}
