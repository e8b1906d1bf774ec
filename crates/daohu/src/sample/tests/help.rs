//! Who helps: the published counts, people counted once, and references that resolve.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::{Sheet, SheetCounts};
use super::figures::linshui;
use super::{Kept, county, judge, made, province};

type Named<'a> = HashMap<&'static str, &'a str>;

const NEW: [Sheet; 7] = [
    Sheet::Organisations,
    Sheet::Villages,
    Sheet::Cadres,
    Sheet::Teams,
    Sheet::Pairings,
    Sheet::Targets,
    Sheet::Indicators,
];

/// Cadres by role; who has several counts in each.
fn roles(kept: &Kept) -> BTreeMap<&str, usize> {
    let mut roles = BTreeMap::new();
    let column = Sheet::Cadres.header().iter().position(|name| *name == "角色").unwrap();
    for row in kept.rows(Sheet::Cadres) {
        for role in row.cell(column).split('、') {
            *roles.entry(role).or_default() += 1;
        }
    }
    roles
}

/// Helpers and helped of one kind, of the pairings in force.
fn current<'k>(kept: &'k Kept, kinds: (&str, &str)) -> Vec<(&'k str, &'k str)> {
    let rows = kept.rows(Sheet::Pairings).iter();
    let rows = rows.filter(|row| (row.cell(0), row.cell(2)) == kinds && row.cell(5).is_empty());
    rows.map(|row| (row.cell(1), row.cell(3))).collect()
}

fn units(kept: &Kept) -> BTreeMap<&str, usize> {
    let mut units = BTreeMap::new();
    for row in kept.rows(Sheet::Organisations) {
        *units.entry(row.cell(2)).or_default() += 1;
    }
    units
}

fn areas(kept: &Kept, digits: usize, flag: usize) -> HashSet<&str> {
    let rows = kept.rows(Sheet::Areas).iter();
    let rows = rows.filter(|row| row.cell(0).len() == digits && row.cell(flag) == "是");
    rows.map(|row| row.cell(0)).collect()
}

fn poor_villages(kept: &Kept) -> HashSet<&str> {
    areas(kept, 12, 6)
}

/// The distinct ones of a side of pairs.
fn distinct<'k>(pairs: &[(&'k str, &'k str)], side: usize) -> HashSet<&'k str> {
    pairs.iter().map(|(helper, helped)| if side == 0 { *helper } else { *helped }).collect()
}

/// Pairs whose cadre has the role.
fn of_role<'k>(
    kept: &'k Kept,
    pairs: &[(&'k str, &'k str)],
    role: &str,
) -> Vec<(&'k str, &'k str)> {
    let cadres = kept.rows(Sheet::Cadres).iter();
    let who: HashSet<&str> =
        cadres.filter(|row| row.cell(5) == role).map(|row| row.cell(0)).collect();
    pairs.iter().copied().filter(|(cadre, _)| who.contains(cadre)).collect()
}

#[test]
fn youyang_has_its_published_helpers() {
    let (kept, counts) = made(&county("500242", 32_377));
    let households = current(&kept, ("干部", "户"));
    assert_eq!(households.len(), 32_377);
    assert_eq!(distinct(&households, 1).len(), 32_377);
    assert_eq!(distinct(&households, 0).len(), 2546);
    let mut loads: HashMap<&str, u32> = HashMap::new();
    for (helper, _) in &households {
        *loads.entry(helper).or_default() += 1;
    }
    assert!(loads.values().all(|load| (12..=13).contains(load)));

    let towns = current(&kept, ("干部", "乡"));
    assert_eq!((distinct(&towns, 0).len(), distinct(&towns, 1).len()), (36, 39));
    assert_eq!(towns.len(), 39);

    let poor = poor_villages(&kept);
    let by_units = current(&kept, ("单位", "村"));
    assert_eq!((distinct(&by_units, 0).len(), by_units.len()), (102, 130));
    assert_eq!(distinct(&by_units, 1), poor);
    assert_eq!(units(&kept), BTreeMap::from([("县", 102), ("乡", 2 * 39)]));

    let by_teams = current(&kept, ("工作队", "村"));
    assert_eq!((distinct(&by_teams, 0).len(), by_teams.len()), (130, 130));
    assert_eq!(distinct(&by_teams, 1), poor);
    assert_eq!(counts.of(Sheet::Teams), &SheetCounts { rows: 650, ..SheetCounts::default() });

    let by_cadres = current(&kept, ("干部", "村"));
    let officers = of_role(&kept, &by_cadres, "扶贫专干");
    assert_eq!((distinct(&officers, 0).len(), officers.len()), (270, 270));
    assert!(poor.is_subset(&distinct(&officers, 1)));
    assert!(distinct(&officers, 1).len() < 270);

    let technicians = roles(&kept)["农技员"];
    let published = BTreeMap::from([
        ("农技员", technicians),
        ("县级领导", 36),
        ("帮扶干部", 2546),
        ("扶贫专干", 270),
        ("第一书记", 130),
        ("部门负责人", roles(&kept)["部门负责人"]),
        ("驻村队员", 520),
    ]);
    assert_eq!(roles(&kept), published);
    // Heads of departments are helpers; nobody else is counted twice.
    let people = 36 + 2546 + 650 + 270 + technicians;
    assert_eq!(kept.rows(Sheet::Cadres).len(), people);
    five_ones(&kept);
    consistent(&kept);
}

/// Each poor village has a leader, a unit, a team with its first secretary, helpers, an officer
/// and a technician.
fn five_ones(kept: &Kept) {
    let towns = current(kept, ("干部", "乡"));
    let by_cadres = current(kept, ("干部", "村"));
    let helped: HashSet<&str> = distinct(&current(kept, ("干部", "户")), 1);
    let homes: HashSet<&str> = kept
        .rows(Sheet::Households)
        .iter()
        .filter(|row| helped.contains(row.cell(0)))
        .map(|row| row.cell(1))
        .collect();
    let roles: HashMap<&str, &str> =
        kept.rows(Sheet::Cadres).iter().map(|row| (row.cell(0), row.cell(5))).collect();
    let mut leads: HashMap<&str, Vec<&str>> = HashMap::new();
    for row in kept.named(Sheet::Teams).filter(|row| row["是否队长"] == "是") {
        leads.entry(row["行政村代码"]).or_default().push(roles[row["工号"]]);
    }
    let units = distinct(&current(kept, ("单位", "村")), 1);
    let teams = distinct(&current(kept, ("工作队", "村")), 1);
    let technicians = of_role(kept, &by_cadres, "农技员");
    let officers = of_role(kept, &by_cadres, "扶贫专干");
    for village in poor_villages(kept) {
        assert_eq!(leads[village], ["第一书记"], "{village}");
        assert!(units.contains(village) && teams.contains(village), "{village}");
        assert!(towns.iter().any(|(_, town)| *town == &village[..9]), "{village}");
        assert_eq!(technicians.iter().filter(|(_, of)| *of == village).count(), 1, "{village}");
        assert!(officers.iter().any(|(_, of)| *of == village), "{village}");
        assert!(homes.contains(village), "{village}");
    }
}

/// What must hold for every sample: legal cells, references, one helper at a time.
fn consistent(kept: &Kept) {
    for sheet in NEW {
        assert!(judge::is_clean(kept, sheet), "{sheet:?}");
    }
    references(kept);
    histories(kept);
    let phones = kept
        .named(Sheet::Cadres)
        .all(|row| row["联系电话"].is_empty() || row["联系电话"].starts_with("1990000"));
    assert!(phones);
}

fn references(kept: &Kept) {
    let keys = |sheet: Sheet| -> HashSet<&str> {
        kept.rows(sheet).iter().map(|row| row.cell(0)).collect()
    };
    let areas = keys(Sheet::Areas);
    let units = keys(Sheet::Organisations);
    let (cadres, teams, homes) = (keys(Sheet::Cadres), keys(Sheet::Teams), keys(Sheet::Households));
    let digits = |kind: &str| match kind {
        "县" => 6,
        "乡" => 9,
        _ => 12,
    };
    let known = |code: &str, digits: usize| code.len() == digits && areas.contains(code);
    for row in kept.named(Sheet::Organisations) {
        let area = row["所在区划代码"];
        assert!(areas.contains(area) || (area.is_empty() && row["单位级别"] == "国家"), "{row:?}");
    }
    for row in kept.named(Sheet::Cadres) {
        assert!(units.contains(row["单位编号"]) && areas.contains(row["所在区划代码"]), "{row:?}");
    }
    for row in kept.named(Sheet::Teams) {
        assert!(known(row["行政村代码"], 12) && cadres.contains(row["工号"]), "{row:?}");
    }
    for row in kept.named(Sheet::Pairings) {
        let helpers = match row["主体类型"] {
            "干部" => &cadres,
            "单位" => &units,
            _ => &teams,
        };
        assert!(helpers.contains(row["主体编号"]), "{row:?}");
        let (kind, helped) = (row["对象类型"], row["对象编号"]);
        assert!(
            if kind == "户" { homes.contains(helped) } else { known(helped, digits(kind)) },
            "{row:?}"
        );
    }
    for row in kept.named(Sheet::Villages) {
        assert!(known(row["行政村代码"], 12));
    }
    for row in kept.named(Sheet::Targets).chain(kept.named(Sheet::Indicators)) {
        assert!(areas.contains(row["区划代码"]));
    }
}

/// Every household has one current helper, and those before it passed it on day by day.
fn histories(kept: &Kept) {
    let mut terms: HashMap<&str, Vec<(&str, &str, &str)>> = HashMap::new();
    let rows = kept.rows(Sheet::Pairings).iter().filter(|row| row.cell(2) == "户");
    for row in rows {
        assert_eq!(row.cell(5).is_empty(), row.cell(6).is_empty());
        assert!(row.cell(5).is_empty() || row.cell(6) == "调离");
        let term = (row.cell(4), row.cell(5), row.cell(1));
        terms.entry(row.cell(3)).or_default().push(term);
    }
    assert_eq!(terms.len(), kept.rows(Sheet::Households).len());
    for terms in terms.values_mut() {
        terms.sort_unstable();
        let (last, before) = terms.split_last().unwrap();
        assert!(last.1.is_empty() && before.len() <= 1);
        for (since, until, helper) in before {
            assert!(since < until && *helper != last.2);
            assert_eq!(next_day(until), last.0);
        }
    }
    let begins = |row: Named<'_>| ("2014-03-01".."2015-12-32").contains(&row["开始日期"]);
    assert!(kept.named(Sheet::Pairings).chain(kept.named(Sheet::Teams)).all(begins));
}

fn next_day(day: &str) -> String {
    let parts: Vec<u32> = day.split('-').map(|part| part.parse().unwrap()).collect();
    let [year, month, day] = parts[..] else { panic!("{parts:?}") };
    let days = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    match (month, day) {
        (12, 31) => format!("{}-01-01", year + 1),
        _ if day == days => format!("{year}-{:02}-01", month + 1),
        _ => format!("{year}-{month:02}-{:02}", day + 1),
    }
}

#[test]
fn a_few_households_of_youyang_had_another_helper_before() {
    let (kept, _) = made(&county("500242", 32_377));
    let ended = kept.rows(Sheet::Pairings).iter().filter(|row| !row.cell(5).is_empty()).count();
    assert!((100..2000).contains(&ended), "{ended}");
}

#[test]
fn mojiang_has_its_published_helpers() {
    let (kept, _) = made(&county("530822", 22_000));
    let levels = units(&kept);
    let at = ["国家", "省", "市", "县"].map(|level| levels[level]);
    assert_eq!(at, [1, 5, 36, 115]);
    let teams: HashSet<&str> = kept.rows(Sheet::Teams).iter().map(|row| row.cell(0)).collect();
    let places: HashSet<&str> = kept.rows(Sheet::Teams).iter().map(|row| row.cell(1)).collect();
    assert_eq!((teams.len(), places.len(), kept.rows(Sheet::Teams).len()), (168, 168, 733));
    assert_eq!(roles(&kept)["第一书记"], 53);
    // Every unit helps, and what is on the published lists is helped by one.
    let (villages, towns) = (current(&kept, ("单位", "村")), current(&kept, ("单位", "乡")));
    assert_eq!(distinct(&towns, 1), areas(&kept, 9, 5));
    assert!(poor_villages(&kept).is_subset(&distinct(&villages, 1)));
    assert_eq!(distinct(&villages, 0).union(&distinct(&towns, 0)).count(), 157);
    five_ones(&kept);
    consistent(&kept);
}

#[test]
fn linshui_has_its_published_helpers() {
    let kept = linshui(19_000);
    let teams = current(&kept, ("工作队", "村"));
    assert_eq!((distinct(&teams, 0).len(), distinct(&teams, 1)), (152, poor_villages(&kept)));
    assert_eq!(roles(&kept)["第一书记"], 152);
    five_ones(&kept);
    consistent(&kept);
}

#[test]
fn every_team_has_one_leader() {
    for kept in [made(&county("530822", 200)).0, made(&province(3_000)).0] {
        let mut leads: HashMap<&str, u32> = HashMap::new();
        for row in kept.named(Sheet::Teams) {
            *leads.entry(row["队编号"]).or_default() += u32::from(row["是否队长"] == "是");
        }
        assert!(leads.values().all(|leads| *leads == 1));
        let members: HashSet<&str> =
            kept.rows(Sheet::Teams).iter().map(|row| row.cell(2)).collect();
        assert_eq!(members.len(), kept.rows(Sheet::Teams).len());
    }
}

#[test]
fn a_province_is_helped_in_the_usual_shares() {
    let (kept, _) = made(&province(30_000));
    let helpers = distinct(&current(&kept, ("干部", "户")), 0).len();
    let load = 30_000.0 / helpers as f64;
    assert!((12.0..12.8).contains(&load), "{load}");
    assert_eq!(roles(&kept)["第一书记"], 9000);
    assert_eq!(kept.rows(Sheet::Teams).len(), 5 * 9000);
    consistent(&kept);
}

#[test]
fn few_or_no_households_have_few_or_no_helpers() {
    for (households, wanted) in [(0, 0), (1, 1), (12, 1), (13, 2), (25, 2)] {
        let (kept, _) = made(&county("500242", households));
        let helpers = roles(&kept).get("帮扶干部").copied().unwrap_or(0);
        assert_eq!(helpers, wanted, "{households}");
        consistent(&kept);
    }
}

#[test]
fn a_sample_of_2014_ends_in_2014() {
    let options = super::Options { year: 2014, ..county("500242", 5_000) };
    let (kept, _) = made(&options);
    consistent(&kept);
    let days = kept.named(Sheet::Pairings).flat_map(|row| [row["开始日期"], row["结束日期"]]);
    assert!(days.into_iter().all(|day| day < "2015"));
}

#[test]
fn credit_codes_are_unique_valid_and_nobodys() {
    const CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let (kept, _) = made(&province(0));
    let mut seen = HashSet::new();
    let mut blank = 0;
    for row in kept.rows(Sheet::Organisations) {
        let code = row.cell(4);
        if code.is_empty() {
            blank += 1;
            continue;
        }
        assert!(code.len() == 18 && &code[2..4] == "99" && seen.insert(code), "{code}");
        let value = |c: char| CHARACTERS.find(c).unwrap();
        let sum: usize = code.chars().zip(WEIGHTS).map(|(c, weight)| value(c) * weight).sum();
        assert_eq!((sum + value(code.chars().last().unwrap())) % 31, 0, "{code}");
    }
    assert!(blank > 0 && blank * 5 < seen.len());
}
