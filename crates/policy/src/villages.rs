//! What every village is to have: a checklist in groups, with what each item asks of a column.

use daohu_base::Day;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::reading::check_once;

/// What asks for the whole list, and so is no item's name.
const WHOLE: &str = "all";

/// The checklist of villages: empty where no pack has one.
#[derive(Clone, Debug, Default)]
pub struct VillageChecklist {
    groups: Vec<VillageGroup>,
    items: Vec<VillageItem>,
    file: String,
}

/// Items that are told together.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VillageGroup {
    /// The identifier that items and reports use.
    pub name: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
}

/// Something that every village is to have. What is asked of its column follows from what the column holds, which the reader of
/// the records knows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VillageItem {
    /// The identifier that reports use: small letters, digits and `_`.
    pub name: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// The group that it is told in.
    pub group: String,
    /// The column of 村 that tells of it.
    pub column: String,
    /// Of a number: at least so many, money in fen.
    #[serde(default)]
    pub min: Option<i64>,
    /// Of a number: the column of 村 that it is a share of.
    #[serde(default)]
    pub share_of: Option<String>,
    /// At least this share: 1.0 is all.
    #[serde(default)]
    pub share_min: Option<f64>,
    /// The first day on which it is asked for.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub since: Option<Day>,
    /// The last day on which it is asked for.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Option<Day>,
    /// Where it comes from.
    pub source: String,
}

impl VillageItem {
    /// True if it is asked of a year: if it is in force on the year's last day.
    pub fn is_asked_of(&self, year: i64) -> bool {
        Day::new(year, 12, 31).is_some_and(|end| {
            self.since.is_none_or(|since| since <= end)
                && self.until.is_none_or(|until| end <= until)
        })
    }

    /// Why the item cannot be used, if it cannot, as far as it shows without its column.
    fn check(&self, groups: &[VillageGroup]) -> Result<(), String> {
        let refused = |why: &str| Err(format!("village_item {}: {why}", self.name));
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return refused("a name is small letters, digits and _");
        }
        if self.name == WHOLE {
            return refused("this name asks for the whole list");
        }
        if !groups.iter().any(|group| group.name == self.group) {
            return refused(&format!("there is no village_group {}", self.group));
        }
        if self.share_of.is_some() != self.share_min.is_some() {
            return refused("share_of and share_min go together");
        }
        if self.min.is_some() && self.share_min.is_some() {
            return refused("min and share_min are two conditions: give one");
        }
        if self.share_min.is_some_and(|min| !min.is_finite() || min <= 0.0) {
            return refused("share_min is more than 0");
        }
        if self.since.zip(self.until).is_some_and(|(since, until)| until < since) {
            return refused("until is before since");
        }
        Ok(())
    }
}

impl VillageChecklist {
    /// The checklist of a file; none if it has none; the reason if it cannot be used.
    pub(crate) fn of_file(
        file: &str,
        groups: Vec<VillageGroup>,
        items: Vec<VillageItem>,
    ) -> Result<Option<Self>, String> {
        if groups.is_empty() && items.is_empty() {
            return Ok(None);
        }
        check_once(groups.iter().map(|group| format!("village_group {}", group.name)))?;
        check_once(items.iter().map(|item| format!("village_item {}", item.name)))?;
        items.iter().try_for_each(|item| item.check(&groups))?;
        let is_empty = |group: &&VillageGroup| !items.iter().any(|item| item.group == group.name);
        if let Some(group) = groups.iter().find(is_empty) {
            return Err(format!("village_group {} has no village_item", group.name));
        }
        Ok(Some(Self { groups, items, file: file.to_owned() }))
    }

    /// The groups, in the order in which they are told.
    pub fn groups(&self) -> &[VillageGroup] {
        &self.groups
    }

    /// The items, in the order in which they are told.
    pub fn items(&self) -> &[VillageItem] {
        &self.items
    }

    /// The file that it is of, relative to the pack.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// True if the name asks for the whole list: no item bears it.
    pub fn is_whole(name: &str) -> bool {
        name == WHOLE
    }
}

#[cfg(test)]
mod tests {
    use crate::Policy;

    const GROUP: &str = "[[village_group]]\nname = 'g'\ntitle = '组'\ntitle_en = 'group'\n";

    fn item(name: &str, rest: &str) -> String {
        format!(
            "[[village_item]]\nname = '{name}'\ntitle = '项'\ntitle_en = 'item'\ngroup = 'g'\n\
             column = 'c'\nsource = 'a test'\n{rest}\n"
        )
    }

    fn read(text: &str) -> Result<Policy, crate::BadPack> {
        Policy::embedded_and([("x.toml", text)])
    }

    #[test]
    fn the_national_list_has_four_links_and_four_haves() {
        let policy = Policy::embedded().unwrap();
        let list = policy.village_checklist();
        assert_eq!(list.file(), "national/villages.toml");
        let of = |group: &str| list.items().iter().filter(|item| item.group == group).count();
        let groups: Vec<(&str, usize)> =
            list.groups().iter().map(|group| (group.title.as_str(), of(&group.name))).collect();
        assert_eq!(groups, [("四通", 4), ("四有", 4)]);
        assert!(list.items().iter().all(|item| item.source.contains("四通四有")));
    }

    #[test]
    fn a_list_of_an_areas_own_goes_before_the_whole_of_it() {
        let policy = read(&(GROUP.to_owned() + &item("a", "min = 2") + &item("b", ""))).unwrap();
        let list = policy.village_checklist();
        let names: Vec<&str> = list.items().iter().map(|item| item.name.as_str()).collect();
        assert_eq!((names, list.groups().len(), list.file()), (vec!["a", "b"], 1, "x.toml"));
        assert_eq!(list.items()[0].min, Some(2));
        let other = "[[value]]\nof = 'line'\nyear = 2030\nvalue = 1\nsource = 'a test'\n";
        assert_eq!(read(other).unwrap().village_checklist().items().len(), 8, "it says nothing");
    }

    #[test]
    fn an_item_is_asked_of_the_years_on_whose_last_day_it_is_in_force() {
        let asked = |days: &str| {
            let policy = read(&(GROUP.to_owned() + &item("a", days))).unwrap();
            let item = policy.village_checklist().items()[0].clone();
            [2014, 2015, 2016].map(|year| item.is_asked_of(year))
        };
        assert_eq!(asked(""), [true, true, true]);
        assert_eq!(asked("since = '2015-12-31'"), [false, true, true]);
        assert_eq!(asked("since = '2015-06-01'\nuntil = '2016-12-30'"), [false, true, false]);
        assert_eq!(asked("until = '2015-12-31'"), [true, true, false]);
    }

    #[test]
    fn a_list_that_cannot_be_used_is_refused_with_file_and_reason() {
        let of = |name: &str, rest: &str| GROUP.to_owned() + &item(name, rest);
        for (text, says) in [
            (of("a", "") + &item("a", ""), "village_item a stands here twice"),
            (GROUP.repeat(2) + &item("a", ""), "village_group g stands here twice"),
            (GROUP.to_owned(), "village_group g has no village_item"),
            (item("a", ""), "there is no village_group g"),
            (of("all", ""), "asks for the whole list"),
            (of("A b", ""), "small letters"),
            (of("", ""), "small letters"),
            (of("a", "share_of = 'd'"), "go together"),
            (of("a", "share_min = 1.0"), "go together"),
            (of("a", "min = 1\nshare_of = 'd'\nshare_min = 1.0"), "give one"),
            (of("a", "share_of = 'd'\nshare_min = 0.0"), "more than 0"),
            (of("a", "share_of = 'd'\nshare_min = nan"), "more than 0"),
            (of("a", "since = '2016-01-01'\nuntil = '2015-01-01'"), "until is before since"),
            (of("a", "since = '2015-02-30'"), "not a day"),
            (of("a", "max = 3"), "unknown field"),
            (of("a", "file = 'y.toml'"), "unknown field"),
            (of("a", "").replace("source = 'a test'\n", ""), "missing field `source`"),
        ] {
            let error = read(&text).unwrap_err();
            assert_eq!(error.file, "x.toml");
            assert!(error.reason.contains(says), "{says}: {}", error.reason);
        }
    }
}
