//! Legal values of every column, for property tests.

use daohu_base::{AreaLevel, Day};
use daohu_db::Value;
use daohu_policy::{CodeList, Policy};
use proptest::{prelude::*, sample::subsequence, strategy::Union};

use crate::sheet::{Column, Kind, Secret, Sheet};

/// Rows of a sheet, all columns legal.
pub(crate) fn row(sheet: &'static Sheet, policy: &Policy) -> BoxedStrategy<Vec<Value>> {
    let columns: Vec<_> = sheet.columns.iter().map(|column| value(column, policy)).collect();
    columns.boxed()
}

/// Values of a column.
pub(crate) fn value(column: &Column, policy: &Policy) -> BoxedStrategy<Value> {
    let known = known(column.kind, policy);
    if column.required {
        return known;
    }
    prop_oneof![1 => Just(Value::Null), 3 => known].boxed()
}

fn known(kind: Kind, policy: &Policy) -> BoxedStrategy<Value> {
    match kind {
        Kind::Text(max) => text(max),
        Kind::Group => text(50),
        Kind::Key => "[A-Za-z0-9]{1,32}".prop_map(Value::Text).boxed(),
        Kind::Area(Some(level)) => area(level),
        Kind::Area(None) => Union::new(AreaLevel::ALL.map(area)).boxed(),
        Kind::Code(name) => {
            let codes = codes(policy.list(name).unwrap());
            proptest::sample::select(codes)
                .prop_map(|code| code.parse::<i64>().unwrap().into())
                .boxed()
        }
        Kind::Codes(name, max) => {
            let codes = codes(policy.list(name).unwrap());
            let most = max.min(codes.len());
            subsequence(codes, 1..=most)
                .prop_map(|mut codes| {
                    codes.sort_unstable();
                    Value::Text(codes.join(" "))
                })
                .boxed()
        }
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Yuan => (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Value::Int).boxed(),
        Kind::Quantity(min, max) => prop_oneof![
            (min..=max).prop_map(|x| Value::Real(x + 0.0)),
            (0.0..1e-6_f64).prop_map(Value::Real),
            (0..100_i32).prop_map(|x| Value::Real(f64::from(x) / 10.0)),
        ]
        .boxed(),
        Kind::Count(max) => (0..=max).prop_map(Value::Int).boxed(),
        Kind::Year => (1900..=2200_i64).prop_map(Value::Int).boxed(),
        Kind::Day => {
            (-25_000..50_000_i64).prop_map(|n| Day::from_epoch_days(n).to_string().into()).boxed()
        }
        Kind::Period => {
            "20[0-9]{2}(|Q[1-4]|Q1-[2-4]|-0[1-9]|-1[0-2])".prop_map(Value::Text).boxed()
        }
        Kind::Secret(Secret::IdNumber) => "[0-9A-Z-]{1,40}".prop_map(Value::Text).boxed(),
        Kind::Secret(Secret::Phone) => "[0-9+()-]{1,40}".prop_map(Value::Text).boxed(),
        Kind::Secret(Secret::BankCard) => "[0-9]{1,40}".prop_map(Value::Text).boxed(),
    }
}

/// Whatever people may type, with what a file format could trip over.
fn text(max: usize) -> BoxedStrategy<Value> {
    let most = max.min(60);
    let character = prop_oneof![
        4 => proptest::char::range('一', '龥'),
        2 => proptest::char::range(' ', '~'),
        1 => proptest::sample::select(vec!['"', ',', '=', '&', '<', '>', '_', '\'', '𠀀', '，', '　', '·']),
    ];
    proptest::collection::vec(character, 1..=most)
        .prop_map(|characters| characters.into_iter().collect::<String>().trim().to_owned())
        .prop_filter("filled", |text| !text.is_empty())
        .prop_map(Value::Text)
        .boxed()
}

fn area(level: AreaLevel) -> BoxedStrategy<Value> {
    let rest = level.digits() - 1;
    // Zeros at the end would be padding.
    proptest::string::string_regex(&format!("[0-9]{{{rest}}}[1-9]"))
        .unwrap()
        .prop_map(Value::Text)
        .boxed()
}

fn codes(list: &CodeList) -> Vec<String> {
    list.values().iter().map(|value| value.code.clone()).collect()
}
