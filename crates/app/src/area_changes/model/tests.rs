//! What lines make of a small tree, and what is wrong with them.

use super::*;

fn code(text: &str) -> AreaCode {
    AreaCode::parse(text).unwrap()
}

/// A county of two townships, three villages and two groups; one code has ended.
fn tree() -> Tree {
    let areas = [
        ("99", "省", false),
        ("9901", "市", false),
        ("990101", "县", false),
        ("990101100", "甲乡", false),
        ("990101100200", "甲一", false),
        ("99010110020001", "一组", false),
        ("99010110020002", "二组", false),
        ("990101100201", "甲二", false),
        ("99010110020101", "一组", false),
        ("990101100299", "旧村", true),
        ("990101101", "乙乡", false),
        ("990101101200", "乙一", false),
        ("990101101201", "乙二", false),
    ];
    let area = |(text, name, has_ended): (&str, &str, bool)| {
        (code(text), Before { name: name.into(), has_ended })
    };
    areas.into_iter().map(area).collect()
}

fn line(from: &str, to: &str, name: &str) -> Line {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (groups, households) = Default::default();
    Line { from: from.into(), to: some(to), name: some(name), groups, households }
}

fn part(from: &str, to: &str, name: &str, groups: &[&str], households: &[&str]) -> Line {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Line { groups: owned(groups), households: owned(households), ..line(from, to, name) }
}

fn faults(lines: &[Line]) -> Vec<(String, &'static str)> {
    let faults = Plan::make(&tree(), lines).unwrap_err();
    faults.into_iter().map(|fault| (fault.column, fault.code)).collect()
}

/// What begins, with its name; what ends; and to where each area goes.
fn told(lines: &[Line]) -> (BTreeMap<String, String>, Vec<String>) {
    let plan = Plan::make(&tree(), lines).unwrap();
    let new = plan.new.iter().map(|(code, new)| (code.to_string(), new.name.clone())).collect();
    (new, plan.ended().map(AreaCode::to_string).collect())
}

fn names(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn a_name_changes_and_nothing_moves() {
    let plan = Plan::make(&tree(), &[line("990101", "990101", "新区")]).unwrap();
    assert_eq!(plan.renamed, [(code("990101"), "新区".to_owned())].into());
    assert!(plan.targets.is_empty() && plan.new.is_empty());
}

#[test]
fn what_lies_below_follows_with_its_last_digits() {
    let (new, ended) = told(&[line("990101100", "990101102", "丙镇")]);
    let expected = [
        ("990101102", "丙镇"),
        ("990101102200", "甲一"),
        ("99010110220001", "一组"),
        ("99010110220002", "二组"),
        ("990101102201", "甲二"),
        ("99010110220101", "一组"),
    ];
    assert_eq!(new, names(&expected));
    assert_eq!(ended.len(), 6);
    // What has ended before stays where it was.
    assert!(!ended.contains(&"990101100299".to_owned()));
}

#[test]
fn a_township_is_merged_into_another_and_its_villages_get_codes_there() {
    let lines = [
        line("990101101", "990101100", ""),
        line("990101101200", "990101100210", ""),
        line("990101101201", "990101100211", "新二"),
    ];
    let (new, ended) = told(&lines);
    assert_eq!(new, names(&[("990101100210", "乙一"), ("990101100211", "新二")]));
    assert_eq!(ended, ["990101101", "990101101200", "990101101201"]);
    let plan = Plan::make(&tree(), &lines).unwrap();
    // Whoever saw the township sees its villages, and nothing of the other's.
    let followers = plan.followers(&code("990101101"));
    assert_eq!(followers, [code("990101100210"), code("990101100211")]);
    assert!(plan.followers(&code("990101100")).is_empty());
    // Codes that another village has cannot be guessed.
    assert_eq!(faults(&lines[..1]), vec![("lines.1.from".into(), "area_change.code_taken"); 2]);
}

#[test]
fn a_village_that_is_merged_into_another_brings_its_groups() {
    let (new, ended) = told(&[line("990101100201", "990101100200", "")]);
    // The group's digits and its name are taken there.
    assert_eq!(new, names(&[("99010110020003", "甲二一组")]));
    assert_eq!(ended, ["990101100201", "99010110020101"]);
    let plan = Plan::make(&tree(), &[line("990101100201", "990101100200", "")]).unwrap();
    assert!(
        plan.followers(&code("990101100201")).is_empty(),
        "it would see the other's households"
    );
}

#[test]
fn a_village_is_split_by_groups_and_households() {
    let lines = [
        part("990101100200", "990101100200", "", &[], &[]),
        part("990101100200", "990101100202", "甲三", &["二组"], &["H9"]),
    ];
    let (new, ended) = told(&lines);
    assert_eq!(new, names(&[("990101100202", "甲三"), ("99010110020202", "二组")]));
    assert_eq!(ended, ["99010110020002"]);
    let plan = Plan::make(&tree(), &lines).unwrap();
    let village = code("990101100200");
    let to = |no: &str, group: Option<&str>| {
        plan.target_of(&village, no, group.map(code).as_ref()).unwrap().to_string()
    };
    assert_eq!(to("H1", Some("99010110020001")), "990101100200");
    assert_eq!(to("H1", Some("99010110020002")), "990101100202");
    assert_eq!(to("H9", Some("99010110020001")), "990101100202");
    assert_eq!(to("H1", None), "990101100200");
    assert_eq!(plan.heir(&village), None, "it goes on");
}

#[test]
fn a_split_into_new_codes_leaves_both_to_whoever_had_it() {
    let lines = [
        part("990101100200", "990101100202", "甲三", &["一组"], &[]),
        part("990101100200", "990101100203", "甲四", &[], &[]),
    ];
    let plan = Plan::make(&tree(), &lines).unwrap();
    let village = code("990101100200");
    assert_eq!(plan.followers(&village), [code("990101100202"), code("990101100203")]);
    assert_eq!(plan.heir(&village), Some(&code("990101100203")), "the rest");
}

#[test]
fn what_does_not_fit_is_refused_by_row_and_column() {
    let at = |column: &str, code: &'static str| vec![(column.to_owned(), code)];
    assert_eq!(faults(&[]), at("lines.0.from", "area_change.nothing"));
    let unknown = [line("990101109", "990101108", "")];
    assert_eq!(faults(&unknown), at("lines.1.from", "area_change.unknown"));
    let ended = [line("990101100299", "990101100298", "")];
    assert_eq!(faults(&ended), at("lines.1.from", "area_change.unknown"));
    let level = [line("990101100", "990101100205", "")];
    assert_eq!(faults(&level), at("lines.1.to", "area_change.other_level"));
    let used = [line("990101100200", "990101100299", "")];
    assert_eq!(faults(&used), at("lines.1.to", "area_change.code_used"));
    let group = [line("99010110020001", "99010110020009", "")];
    let both = ["lines.1.from", "lines.1.to"].map(|column| (column.into(), "area_change.group"));
    assert_eq!(faults(&group), both);
    let nothing = [line("990101100", "990101100", "")];
    assert_eq!(faults(&nothing), at("lines.1.name", "area_change.nothing"));
    let nameless = [
        part("990101100200", "990101100202", "", &["一组"], &[]),
        part("990101100200", "990101100200", "", &[], &[]),
    ];
    assert_eq!(faults(&nameless), at("lines.1.name", "area_change.no_name"));
    let twice =
        [line("990101100200", "990101100202", ""), line("990101100200", "990101100203", "")];
    assert_eq!(faults(&twice), at("lines.2.from", "area_change.twice"));
    let no_group = [part("990101100200", "990101100202", "新", &["九组"], &[])];
    assert_eq!(faults(&no_group), at("lines.1.groups", "area_change.no_group"));
    let township = [part("990101100", "990101102", "新", &[], &["H1"])];
    assert_eq!(faults(&township), at("lines.1.groups", "area_change.only_villages"));
    let left = [line("990101101", "", "")];
    assert_eq!(faults(&left), vec![("lines.1.from".to_owned(), "area_change.left_behind"); 2]);
    let orphan = [line("990101100200", "990101109200", "")];
    assert_eq!(faults(&orphan), at("lines.1.from", "area.no_parent"));
    // A code that ends on the day is not another's on the same day.
    let swap = [line("990101100200", "990101100201", ""), line("990101100201", "990101100200", "")];
    assert_eq!(
        faults(&swap),
        [
            ("lines.2.to".into(), "area_change.code_used"),
            ("lines.1.to".into(), "area_change.code_used")
        ]
    );
}

#[test]
fn a_right_does_not_follow_into_what_takes_in_more_and_a_part_is_no_whole() {
    let lines = [
        line("990101100", "990101102", "丙镇"),
        line("990101101200", "990101102210", ""),
        line("990101101201", "990101101209", ""),
    ];
    let plan = Plan::make(&tree(), &lines).unwrap();
    // The new township has a village of another one: only the villages follow.
    let followers = plan.followers(&code("990101100"));
    assert_eq!(followers, [code("990101102200"), code("990101102201")]);
    assert!(plan.is_whole(&code("990101100")) && !plan.is_whole(&code("990101101")));
    assert!(!plan.new[&code("990101102")].is_whole, "its population is that of more than one");
    assert!(plan.new[&code("990101102200")].is_whole);

    let lines = [line("990101100", "990101102", "丙镇"), line("990101100201", "990101101210", "")];
    let plan = Plan::make(&tree(), &lines).unwrap();
    assert!(!plan.is_whole(&code("990101100")), "a village went elsewhere");
    assert!(!plan.new[&code("990101102")].is_whole);
}

#[test]
fn names_are_names() {
    for name in ["", "  ", &"长".repeat(101)] {
        let lines = [Line { name: Some(name.to_owned()), ..line("990101", "990101", "新") }];
        assert_eq!(faults(&lines), [("lines.1.name".to_owned(), "area_change.bad_name")]);
    }
    let plan = Plan::make(&tree(), &[line("990101", "990101", " 新区 ")]).unwrap();
    assert_eq!(plan.renamed[&code("990101")], "新区");
}
