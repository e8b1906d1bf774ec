//! What people type into cells, and what becomes of it.

use daohu_db::Value;
use daohu_policy::Policy;

use crate::{
    Lang,
    sheet::{Raw::*, Reader, Sheet},
};

/// The value of a cell: `=` and its text, `~` if it was cleaned; or the code of the error.
fn outcome(reader: &Reader<'_>, i: usize, raw: crate::sheet::Raw<'_>) -> String {
    match reader.read(i, raw) {
        Ok((value, cleaned)) => {
            let value = match value {
                Value::Null => String::new(),
                Value::Int(n) => n.to_string(),
                Value::Real(x) => x.to_string(),
                Value::Text(text) => text,
                Value::Blob(_) => unreachable!(),
            };
            format!("{}{value}", if cleaned { '~' } else { '=' })
        }
        Err(error) => {
            assert!(!error.says(Lang::Zh).is_empty() && !error.says(Lang::En).is_empty());
            error.code().trim_start_matches("cell.").to_owned()
        }
    }
}

#[track_caller]
fn check(sheet: &str, header: &str, cases: &[(crate::sheet::Raw<'_>, &str)]) {
    let policy = Policy::embedded().unwrap();
    let sheet = Sheet::named(sheet).unwrap();
    let reader = Reader::new(sheet, &policy);
    let i = sheet.column_of(header).unwrap();
    for (raw, expected) in cases {
        assert_eq!(outcome(&reader, i, *raw), *expected, "{header}: {raw:?}");
    }
}

#[test]
fn keys() {
    check(
        "户",
        "户编号",
        &[
            (Text("H001"), "=H001"),
            (Text(" H001\u{3000}"), "~H001"),
            (Text("Ｈ００１"), "~H001"),
            (Text("H 001"), "~H001"),
            (Text("123.0"), "~123"),
            (Number(123.0), "=123"),
            (Number(500_242_000_000_001.0), "=500242000000001"),
            (Number(5.00242e17), "lost_precision"),
            (Text("5.00242E+17"), "lost_precision"),
            (Text("5E+17"), "lost_precision"),
            (Text("5E17"), "=5E17"),
            (Date(42369.0), "lost_precision"),
            (Text("H-1"), "bad_key"),
            (Text("户一"), "bad_key"),
            (Text("H\u{0}1"), "control_character"),
            (Text("123456789012345678901234567890123"), "bad_key"),
            (Text(""), "required"),
            (Text(" \u{3000}\u{200b}"), "required"),
            (Empty, "required"),
            (Broken("#N/A"), "broken_formula"),
        ],
    );
}

#[test]
fn areas() {
    check(
        "户",
        "行政村代码",
        &[
            (Text("990102100200"), "=990102100200"),
            (Text("990102100200.0"), "~990102100200"),
            (Text("990102 100 200"), "~990102100200"),
            (Text("９９０１０２１００２００"), "~990102100200"),
            (Number(990_102_100_200.0), "=990102100200"),
            (Text("99010210020000"), "=990102100200"),
            (Text("990102100000"), "not_an_area"),
            (Text("990102"), "not_an_area"),
            (Text("9.90102E+11"), "lost_precision"),
            (Text("第一镇"), "not_an_area"),
        ],
    );
    check(
        "areas",
        "区划代码",
        &[
            (Text("990102000000"), "=990102"),
            (Number(99.0), "=99"),
            (Text("9901021"), "not_an_area"),
        ],
    );
}

#[test]
fn codes() {
    check(
        "户",
        "主要致贫原因",
        &[
            (Text("因病"), "=1"),
            (Text("01"), "=1"),
            (Text("1"), "~1"),
            (Number(1.0), "~1"),
            (Text("01.0"), "~1"),
            (Text(" 因病 "), "~1"),
            (Text("缺劳动力"), "=8"),
            (Text("因并"), "unknown_value"),
            (Text("98"), "unknown_value"),
            (Text("1.5"), "unknown_value"),
            (Text("因病\u{0}"), "control_character"),
            (Flag(true), "unknown_value"),
            (Date(42369.0), "lost_precision"),
            (Empty, "="),
        ],
    );
    check("户", "危房等级", &[(Text("Ｂ"), "~2"), (Text("b"), "~2"), (Text("E"), "unknown_value")]);
    check(
        "户",
        "其他致贫原因",
        &[
            (Text("因残、因病"), "=01 02"),
            (Text("因残,因病"), "=01 02"),
            (Text("因残；因残，因病"), "=01 02"),
            (Text("2;1"), "~01 02"),
            (Text("因病、因残、因学"), "too_many"),
            (Text("因病、头疼"), "unknown_value"),
            (Text("、"), "unknown_value"),
            (Text("  "), "="),
        ],
    );
    check("人", "健康状况", &[(Text("健康、残疾"), "=01 04")]);
}

#[test]
fn flags() {
    check(
        "户",
        "是否危房户",
        &[
            (Text("是"), "=1"),
            (Text("否"), "=0"),
            (Text("有"), "=1"),
            (Text("√"), "=1"),
            (Text("TRUE"), "~1"),
            (Text("False"), "~0"),
            (Text("Ｙ"), "~1"),
            (Flag(true), "=1"),
            (Flag(false), "=0"),
            (Number(1.0), "=1"),
            (Number(0.0), "=0"),
            (Number(2.0), "~0"), // the code 02
            (Number(3.0), "unknown_value"),
            (Text("不详"), "unknown_value"),
            (Empty, "="),
        ],
    );
}

#[test]
fn amounts() {
    check(
        "年度收入",
        "工资性收入",
        &[
            (Text("5000"), "=500000"),
            (Text("1200.5"), "=120050"),
            (Text("12,000.00"), "~1200000"),
            (Text("12，000"), "~1200000"),
            (Text("1,2000"), "not_a_number"),
            (Text("１２．５０"), "~1250"),
            (Text("-3"), "=-300"),
            (Text("100.125"), "too_precise"),
            (Text("￥800"), "not_a_number"),
            (Text("¥800"), "not_a_number"),
            (Text("800元"), "not_a_number"),
            (Text("1.2E+04"), "not_a_number"),
            (Text("八百"), "not_a_number"),
            (Number(1200.5), "=120050"),
            (Number(0.1 + 0.2), "=30"),
            (Number(100.125), "too_precise"),
            (Number(1e30), "not_a_number"),
            (Date(42369.0), "not_a_number"),
            (Flag(true), "not_a_number"),
            (Empty, "="),
        ],
    );
}

#[test]
fn quantities_and_counts() {
    check(
        "户",
        "住房面积",
        &[
            (Text("80"), "=80"),
            (Text("６０"), "~60"),
            (Text("1,200.5"), "~1200.5"),
            (Text("-0"), "=0"),
            (Text("-1"), "out_of_range"),
            (Text("1e3"), "not_a_number"),
            (Text("八十"), "not_a_number"),
            (Text("NaN"), "not_a_number"),
            (Text("inf"), "not_a_number"),
            (Number(80.25), "=80.25"),
            (Number(1e6), "out_of_range"),
            (Number(f64::NAN), "not_a_number"),
        ],
    );
    check(
        "年度收入",
        "家庭人口",
        &[
            (Text("0"), "=0"),
            (Text("2.0"), "~2"),
            (Text("２"), "~2"),
            (Number(2.0), "=2"),
            (Number(2.5), "not_a_number"),
            (Text("101"), "out_of_range"),
            (Text("-1"), "not_a_number"),
            (Text("99999999999999999999"), "not_a_number"),
        ],
    );
}

#[test]
fn years_and_days() {
    check(
        "年度收入",
        "年度",
        &[
            (Text("2015"), "=2015"),
            (Text("２０１５"), "~2015"),
            (Text("2015.0"), "~2015"),
            (Number(2015.0), "=2015"),
            (Text("2015年"), "not_a_year"),
            (Text("15"), "not_a_year"),
            (Date(42005.0), "not_a_year"),
            (Empty, "required"),
        ],
    );
    check(
        "人",
        "出生日期",
        &[
            (Text("1970-01-01"), "=1970-01-01"),
            (Text("1970/1/1"), "=1970-01-01"),
            (Text("19700101"), "=1970-01-01"),
            (Text("１９７０－０１－０１"), "~1970-01-01"),
            (Text("1970-01-01T00:00:00"), "~1970-01-01"),
            (Text("1970-01-01 00:00:00"), "~1970-01-01"),
            (Text("2015-02-30"), "not_a_day"),
            (Text("1970年1月1日"), "not_a_day"),
            (Text("1970-01-01 或"), "not_a_day"),
            (Date(42369.0), "=2015-12-31"),
            (Date(42369.99), "=2015-12-31"),
            (Date(0.5), "not_a_day"),
            (Number(42369.0), "~2015-12-31"),
            (Number(20_151_231.0), "=2015-12-31"),
            (Number(1970.0), "not_a_day"), // a year, not a serial of 1905
            (Number(197_001.0), "not_a_day"),
            (Flag(true), "not_a_day"),
        ],
    );
}

#[test]
fn texts() {
    let long = "好".repeat(51);
    check(
        "人",
        "姓名",
        &[
            (Text("测一"), "=测一"),
            (Text("  测一\t"), "~测一"),
            (Text("买买提·阿不都"), "=买买提·阿不都"),
            (Text("Ａ１"), "=Ａ１"), // free text stays as it was typed
            (Number(12.0), "=12"),
            (Date(42369.0), "=2015-12-31"),
            (Text("测\n一"), "~测 一"),
            (Text("测\u{0}一"), "control_character"),
            (Text("\u{0}"), "control_character"),
            (Text("测\u{7f}一"), "control_character"),
            (Text(long.as_str()), "too_long"),
            (Text(&long[..150]), &format!("={}", &long[..150])),
            (Empty, "required"),
        ],
    );
}

#[test]
fn numbers_that_name_a_person() {
    check(
        "人",
        "证件号码",
        &[
            (Text("990102197001010112"), "=990102197001010112"),
            (Text("99010219701301011x"), "~99010219701301011X"),
            (Text("9901 0219 7001 0101 12"), "~990102197001010112"),
            (Text("５.00242E+17"), "lost_precision"),
            (Text("5.00242E+17"), "lost_precision"),
            (Number(9.901_021_970_010_102e17), "lost_precision"),
            (Text("990102**********12"), "masked"),
            (Text("990102＊＊＊＊＊＊＊＊＊＊12"), "masked"),
            (Text("*"), "masked"),
            (Text("99010219700101011号"), "bad_number"),
            (Text("12345678901234567890123456789012345678901"), "too_long"),
            (Empty, "="),
        ],
    );
    check(
        "人",
        "联系电话",
        &[
            (Text("19900001234"), "=19900001234"),
            (Text("+86 199 0000 1234"), "~+8619900001234"),
            (Text("023-12345678"), "=023-12345678"),
            (Text("19900001234.0"), "~19900001234"),
            (Number(19_900_001_234.0), "=19900001234"),
            (Text("199******34"), "masked"),
            (Text("不详"), "bad_number"),
        ],
    );
    check(
        "户",
        "银行卡号",
        &[
            (Text("9900 0012 3456 7890 123"), "~9900001234567890123"),
            (Number(9_900_001_234_567_890_123.0), "lost_precision"),
            (Number(6.2e15), "lost_precision"),
            (Text("***************0123"), "masked"),
            (Text("99-00"), "bad_number"),
        ],
    );
}

#[test]
fn a_huge_cell_is_refused_at_once() {
    let policy = Policy::embedded().unwrap();
    let huge = "好".repeat(100_000);
    let digits = "1".repeat(300_000);
    for sheet in Sheet::ALL {
        let reader = Reader::new(sheet, &policy);
        for i in 0..sheet.columns.len() {
            assert!(reader.read(i, Text(&huge)).is_err(), "{}", sheet.columns[i].header);
            assert!(reader.read(i, Text(&digits)).is_err(), "{}", sheet.columns[i].header);
        }
    }
}

#[test]
fn the_message_names_the_nearest_legal_values() {
    let policy = Policy::embedded().unwrap();
    let sheet = Sheet::named("户").unwrap();
    let i = sheet.column_of("主要致贫原因").unwrap();
    let error = Reader::new(sheet, &policy).read(i, Text("因并")).unwrap_err();
    assert!(error.says(Lang::Zh).contains("因病"), "{}", error.says(Lang::Zh));
}
