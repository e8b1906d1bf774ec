//! 单位: the columns of organisations.

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// 单位: An organisation that helps: a department, a company, a school.
pub static ORGANISATIONS: Sheet = Sheet {
    name: "organisations",
    title: "单位",
    columns: &[
        column("单位编号", "no", Key, true, "Its number, the same in every county.", &[]),
        column("名称", "name", Text(100), true, "The full name.", &[]),
        column("单位级别", "level", Code("单位级别"), true, "National to village.", &[]),
        column("单位类型", "kind", Code("单位类型"), false, "What kind of organisation.", &[]),
        column(
            "统一社会信用代码",
            "credit_code",
            Key,
            false,
            "The unified social credit code (GB 32100).",
            &[],
        ),
        column(
            "所在区划代码",
            "area",
            Area(None),
            false,
            "The area that it belongs to: who works there sees and changes it.",
            &[],
        ),
    ],
};

/// Positions in [`ORGANISATIONS`].
pub mod organisation {
    positions! { 0; NO NAME LEVEL KIND CREDIT_CODE AREA }
}
