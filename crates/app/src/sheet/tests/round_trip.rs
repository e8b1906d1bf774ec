//! What is printed is read back as the same value.

use daohu_db::Value;
use daohu_policy::Policy;
use proptest::{prelude::*, test_runner::TestRunner};

use super::legal;
use crate::sheet::{Masking, Printer, Raw, Reader, Sheet, from_json, to_json};

/// Runs a check on legal values of every column of every sheet.
fn for_every_column(
    check: impl Fn(&Reader<'_>, &'static Sheet, usize, &Value) -> Result<(), TestCaseError>,
) {
    let policy = Policy::embedded().unwrap();
    for sheet in Sheet::ALL {
        let reader = Reader::new(sheet, &policy);
        for (i, column) in sheet.columns.iter().enumerate() {
            let values = legal::value(column, &policy);
            let mut runner = TestRunner::new(ProptestConfig {
                failure_persistence: None,
                ..ProptestConfig::with_cases(100)
            });
            let result = runner.run(&values, |value| check(&reader, sheet, i, &value));
            result.unwrap_or_else(|error| panic!("{} {}: {error}", sheet.title, column.header));
        }
    }
}

#[test]
fn printed_cells_are_read_back_and_need_no_cleaning() {
    let policy = Policy::embedded().unwrap();
    for_every_column(|reader, sheet, i, value| {
        let mut cell = String::new();
        Printer::new(sheet, &policy, Masking::Full).print(i, value, &mut cell);
        let raw = if cell.is_empty() { Raw::Empty } else { Raw::Text(&cell) };
        prop_assert_eq!(reader.read(i, raw), Ok((value.clone(), false)), "{}", cell);
        Ok(())
    });
}

#[test]
fn fields_of_json_are_read_back() {
    for_every_column(|reader, sheet, i, value| {
        let mut values = vec![Value::Null; sheet.columns.len()];
        values[i] = value.clone();
        let json = to_json(sheet, &values, Masking::Full);
        // As it comes over the wire.
        let json: serde_json::Value =
            serde_json::from_str(&serde_json::Value::Object(json).to_string()).unwrap();
        let column = &sheet.columns[i];
        let cell = from_json(column, &json[column.name]).expect("the field's own type");
        let read = reader.read(i, Raw::Text(&cell)).map(|(value, _)| value);
        prop_assert_eq!(read, Ok(value.clone()), "{}", cell);
        Ok(())
    });
}

#[test]
fn numbers_that_name_a_person_print_masked_and_are_never_read_back() {
    let policy = Policy::embedded().unwrap();
    for_every_column(|reader, sheet, i, value| {
        let mut cell = String::new();
        Printer::new(sheet, &policy, Masking::Masked).print(i, value, &mut cell);
        let is_secret = matches!(sheet.columns[i].kind, crate::sheet::Kind::Secret(_));
        if is_secret && !value.is_null() {
            prop_assert!(cell.contains('*'), "{}", cell);
            let error = reader.read(i, Raw::Text(&cell)).unwrap_err();
            prop_assert_eq!(error.code(), "cell.masked");
        }
        Ok(())
    });
}

#[test]
fn fields_of_the_wrong_type_are_refused() {
    for (sheet, header, json, expected) in [
        ("households", "住房面积", r#""80""#, None),
        ("households", "住房面积", "1e-7", Some("0.0000001")),
        ("households", "是否危房户", r#""是""#, None),
        ("households", "是否危房户", "true", Some("true")),
        ("households", "其他致贫原因", r#"["01","02"]"#, Some("01、02")),
        ("households", "其他致贫原因", "[1]", None),
        ("households", "户主姓名", "1", None),
        ("incomes", "工资性收入", "120050", Some("1200.5")),
        ("incomes", "工资性收入", "12.5", None),
        ("incomes", "工资性收入", r#""12""#, None),
        ("incomes", "年度", "2015", Some("2015")),
        ("incomes", "年度", "null", Some("")),
    ] {
        let sheet = Sheet::named(sheet).unwrap();
        let column = &sheet.columns[sheet.column_of(header).unwrap()];
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(from_json(column, &json).as_deref(), expected, "{header} {json}");
    }
}

#[test]
fn cells_are_printed_as_the_form_has_them() {
    let policy = Policy::embedded().unwrap();
    for (sheet, header, value, full, masked) in [
        ("户", "其他致贫原因", Value::from("01 02"), "因病、因残", "因病、因残"),
        ("户", "主要致贫原因", Value::Int(8), "缺劳力", "缺劳力"),
        ("户", "主要致贫原因", Value::Int(98), "98", "98"), // of a pack that is gone
        ("户", "是否危房户", Value::Int(0), "否", "否"),
        ("户", "是否危房户", Value::Null, "", ""),
        ("户", "村民小组", Value::from("99010210020001"), "一组", "一组"),
        ("户", "村民小组", Value::from("99010210020002"), "99010210020002", "99010210020002"),
        ("户", "耕地面积", Value::Real(1e-7), "0.0000001", "0.0000001"),
        (
            "户",
            "银行卡号",
            Value::from("9900001234567890123"),
            "9900001234567890123",
            "***************0123",
        ),
        (
            "人",
            "证件号码",
            Value::from("990102197001010112"),
            "990102197001010112",
            "990102**********12",
        ),
        ("人", "联系电话", Value::from("19900001234"), "19900001234", "199******34"),
        ("年度收入", "工资性收入", Value::Int(120_050), "1200.5", "1200.5"),
    ] {
        let sheet = Sheet::named(sheet).unwrap();
        let i = sheet.column_of(header).unwrap();
        for (masking, expected) in [(Masking::Full, full), (Masking::Masked, masked)] {
            let groups = [("99010210020001".to_owned(), "一组".to_owned())].into();
            let printer = Printer::new(sheet, &policy, masking).with_groups(groups);
            let mut cell = String::new();
            printer.print(i, &value, &mut cell);
            assert_eq!(cell, expected, "{header}");
        }
    }
}
