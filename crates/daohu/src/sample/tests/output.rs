//! What the output promises: exact counts, order, unique and valid numbers, sums, and bytes that
//! depend on the seed alone.

use std::collections::{HashMap, HashSet};

use super::super::{CsvSink, Error, Options, Place, Row, Sheet, SheetCounts, write};
use super::judge::{self, is_real_number};
use super::order::ascending;
use super::{Kept, areas, county, made, province};

/// The sheets that the sample had at first. Whatever is added must leave them as they are.
const FIRST: [Sheet; 4] = [Sheet::Areas, Sheet::Households, Sheet::Persons, Sheet::Incomes];

fn bytes(kept: &Kept) -> String {
    bytes_of(kept, &Sheet::ALL)
}

fn bytes_of(kept: &Kept, sheets: &[Sheet]) -> String {
    let mut text = String::new();
    for sheet in sheets.iter().copied() {
        for row in kept.rows(sheet) {
            text.extend(row.cells().flat_map(|cell| [cell, ","]));
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_does_not() {
    for dirty in [0.0, 0.3] {
        let options = Options { dirty, ..county("500242", 700) };
        let first = bytes(&made(&options).0);
        assert!(first == bytes(&made(&options).0));
        assert!(first != bytes(&made(&Options { seed: 2, ..options.clone() }).0));
        assert!(first != bytes(&made(&Options { year: 2016, ..options }).0));
    }
}

/// A changed hash means that every demonstration and every published measurement changes: do it
/// on purpose only. FNV-1a, so that no library decides about it.
#[test]
fn the_bytes_are_pinned() {
    let (kept, _) = made(&Options { dirty: 0.1, ..county("500242", 200) });
    let added: Vec<Sheet> = Sheet::ALL.into_iter().filter(|sheet| !FIRST.contains(sheet)).collect();
    for (sheets, pinned) in [(FIRST.as_slice(), PINNED_FIRST), (&added, PINNED_ADDED)] {
        let hash = bytes_of(&kept, sheets).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(hash, pinned, "{hash:#x}");
    }
}

const PINNED_FIRST: u64 = 0xd211007fb560025c;
const PINNED_ADDED: u64 = 0x9194f7dfed73894a;

#[test]
fn youyang_has_its_published_counts() {
    let (kept, counts) = made(&county("500242", 32_377));
    let plain = |rows: u64| SheetCounts { rows, ..SheetCounts::default() };
    assert_eq!(*counts.of(Sheet::Areas), plain(3 + 39 + 278));
    assert_eq!(*counts.of(Sheet::Households), plain(32_377));
    assert_eq!(*counts.of(Sheet::Incomes), plain(5 * 32_377));
    let size = counts.of(Sheet::Persons).rows as f64 / 32_377.0;
    assert!((3.3..3.5).contains(&size), "{size}");
    for sheet in Sheet::ALL {
        assert!(kept.rows(sheet).iter().all(|row| row.cells().count() == sheet.header().len()));
    }
    ascending(&kept);
    let poor = |column| kept.named(Sheet::Areas).filter(|row| row[column] == "是").count();
    assert_eq!((poor("是否贫困县"), poor("是否贫困乡镇"), poor("是否贫困村")), (1, 0, 130));
    let villages: HashSet<&str> =
        kept.rows(Sheet::Households).iter().map(|row| row.cell(1)).collect();
    assert_eq!(villages.len(), 278);
    people_are_unique_and_invented(&kept);
    incidence_is_plausible(&kept, (0.14, 0.17));
    assert_eq!(judge::count(&kept).map(|sheet| sheet.rejectable + sheet.cleanable), [0; 4]);
    located(&kept, (108.3, 109.3), (28.3, 29.4));
}

fn people_are_unique_and_invented(kept: &Kept) {
    let mut numbers = HashSet::new();
    let mut unnumbered = HashSet::new();
    for row in kept.named(Sheet::Persons) {
        let number = row["证件号码"];
        if number.is_empty() {
            assert!(["无证件", "出生医学证明"].contains(&row["证件类型"]));
            assert!(unnumbered.insert((row["户编号"], row["姓名"], row["出生日期"])));
            continue;
        }
        assert!(number.starts_with("99") && is_real_number(number), "{number}");
        assert_eq!(number.len(), if row["证件类型"] == "残疾人证" { 20 } else { 18 });
        assert!(numbers.insert(&number[..18]), "{number} twice");
        let male = number.as_bytes()[16] % 2 == 1;
        assert!(row["性别"].is_empty() || (row["性别"] == "男") == male);
        let birth = row["出生日期"].replace('-', "");
        assert!(birth.is_empty() || birth == number[6..14]);
        let (change, day) = (row["变动类型"], row["变动日期"]);
        assert!(change.is_empty() == day.is_empty() && (day.is_empty() || day > "2010-12-31"));
        assert!(change != "出生" || day.replace('-', "") == number[6..14]);
        assert!(row["联系电话"].is_empty() || row["联系电话"].starts_with("1990000"));
    }
    assert!(unnumbered.len() > 500);
    let cards: Vec<_> = kept.rows(Sheet::Households).iter().map(|row| row.cell(6)).collect();
    let cards: Vec<_> = cards.into_iter().filter(|card| !card.is_empty()).collect();
    assert!(cards.iter().all(|card| card.len() == 19 && card.starts_with("990000")));
    assert_eq!(cards.iter().collect::<HashSet<_>>().len(), cards.len());
}

fn incidence_is_plausible(kept: &Kept, range: (f64, f64)) {
    let rural: f64 =
        kept.rows(Sheet::Areas).iter().filter_map(|row| row.cell(8).parse::<f64>().ok()).sum();
    let incidence = kept.rows(Sheet::Persons).len() as f64 / rural;
    assert!((range.0..range.1).contains(&incidence), "{incidence}");
    let mut poor: HashMap<&str, u64> = HashMap::new();
    for row in kept.rows(Sheet::Households) {
        *poor.entry(row.cell(1)).or_default() += 1;
    }
    for row in kept.rows(Sheet::Areas).iter().filter(|row| row.cell(0).len() == 12) {
        let rural: u64 = row.cell(7).parse().unwrap();
        assert!(poor.get(row.cell(0)).copied().unwrap_or(0) < rural);
    }
}

fn located(kept: &Kept, east: (f64, f64), north: (f64, f64)) {
    let inside = |cell: &str, (low, high): (f64, f64)| {
        cell.parse().is_ok_and(|value: f64| (low..=high).contains(&value))
    };
    let known: Vec<_> =
        kept.rows(Sheet::Households).iter().filter(|row| !row.cell(50).is_empty()).collect();
    assert!(known.len() * 100 > kept.rows(Sheet::Households).len() * 99);
    assert!(known.iter().all(|row| inside(row.cell(50), east) && inside(row.cell(51), north)));
}

#[test]
fn mojiang_has_its_poor_townships_and_villages() {
    let (kept, _) = made(&county("530822", 22_000));
    let poor = |length: usize, column: usize| {
        let poor = move |row: &&Row| row.cell(column) == "是" && row.cell(0).len() == length;
        kept.rows(Sheet::Areas).iter().filter(poor)
    };
    let towns: Vec<&str> = poor(9, 5).map(|row| row.cell(1)).collect();
    let named = ["龙坝镇", "鱼塘镇", "坝溜镇", "雅邑镇", "孟弄彝族乡", "龙潭乡", "那哈乡"];
    assert_eq!(towns, named);
    assert_eq!(poor(12, 6).count(), 53);
    incidence_is_plausible(&kept, (0.185, 0.215));
}

#[test]
fn a_province_shares_the_households_among_its_counties() {
    let (kept, counts) = made(&province(20_000));
    assert_eq!(counts.of(Sheet::Households).rows, 20_000);
    let poor = |column| kept.named(Sheet::Areas).filter(|row| row[column] == "是").count();
    assert_eq!((poor("是否贫困县"), poor("是否贫困乡镇"), poor("是否贫困村")), (50, 934, 9000));
    ascending(&kept);
    let counties: HashSet<&str> =
        kept.rows(Sheet::Households).iter().map(|row| &row.cell(0)[..6]).collect();
    assert_eq!(counties.len(), 88);
    let numbers: Vec<&str> = kept.rows(Sheet::Persons).iter().map(|row| row.cell(3)).collect();
    let numbers: Vec<&str> = numbers.into_iter().filter(|number| !number.is_empty()).collect();
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
    assert_eq!(judge::count(&kept).map(|sheet| sheet.rejectable + sheet.cleanable), [0; 4]);
    located(&kept, (103.6, 109.5), (24.6, 29.2));
}

#[test]
fn none_or_few_households_are_fine_too() {
    for households in [0, 1, 5] {
        assert_eq!(made(&county("530822", households)).1.of(Sheet::Households).rows, households);
        assert_eq!(made(&province(households)).1.of(Sheet::Households).rows, households);
        // Townships without villages are as good as none: nobody could live there.
        let mut areas = areas();
        areas.retain(|area| area.code.len() < 12);
        let counts = write(&areas, &county("500242", households), &mut Kept::default()).unwrap();
        assert_eq!(counts.of(Sheet::Households).rows, households);
    }
}

#[test]
fn what_cannot_be_made_is_refused() {
    let error = |options: &Options| {
        let mut kept = Kept::default();
        let error = write(&areas(), options, &mut kept).err();
        assert!(kept.rows(Sheet::Areas).is_empty());
        error
    };
    let good = county("500242", 1);
    for year in [2013, 2021] {
        assert!(matches!(error(&Options { year, ..good.clone() }), Some(Error::Year(_))));
    }
    for dirty in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(error(&Options { dirty, ..good.clone() }), Some(Error::Dirty(_))));
    }
    for code in ["999999", "50", "500242001", "5002", ""] {
        assert!(matches!(error(&county(code, 1)), Some(Error::UnknownPlace(_))), "{code}");
    }
    for (code, counties) in
        [("99", true), ("5002", true), ("520102", true), ("", true), ("53", false)]
    {
        let place = Place::Province { code: code.to_owned() };
        let mut areas = areas();
        areas.retain(|area| counties || area.code.len() <= 4);
        let mut kept = Kept::default();
        let refused = write(&areas, &Options { place, ..good.clone() }, &mut kept).unwrap_err();
        match refused {
            Error::UnknownPlace(refused) => assert!(refused == code && counties),
            Error::NoCounty(refused) => assert!(refused == code && !counties),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn the_csv_files_hold_the_same_rows() {
    let folder = std::env::temp_dir().join(format!("sample-{}", std::process::id()));
    let options = Options { dirty: 0.2, ..county("500242", 50) };
    let mut sink = CsvSink::create(&folder).unwrap();
    let counts = write(&areas(), &options, &mut sink).unwrap();
    sink.finish().unwrap();
    let (kept, same_counts) = made(&options);
    assert_eq!(counts, same_counts);
    for sheet in Sheet::ALL {
        let bytes = std::fs::read(folder.join(sheet.file())).unwrap();
        assert!(!bytes.starts_with(b"\xef\xbb\xbf"));
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap(), sheet.header());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), kept.rows(sheet).len());
        for (record, row) in records.iter().zip(kept.rows(sheet)) {
            assert!(record.iter().eq(row.cells()));
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
