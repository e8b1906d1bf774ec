//! 结对: the columns of pairings.

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// 结对: Who helps whom, from when until when.
pub static PAIRINGS: Sheet = Sheet {
    name: "pairings",
    title: "结对",
    columns: &[
        column("主体类型", "subject_kind", Code("主体类型"), true, "What the helper is.", &[]),
        column(
            "主体编号",
            "subject",
            Key,
            true,
            "The number of the cadre, organisation or team that helps.",
            &[],
        ),
        column("对象类型", "object_kind", Code("对象类型"), true, "What is helped.", &[]),
        column(
            "对象编号",
            "object",
            Key,
            true,
            "What is helped: the code of the area, or the household's number.",
            &[],
        ),
        column("开始日期", "starts_on", Day, true, "The first day.", &[]),
        column("结束日期", "ends_on", Day, false, "The last day.", &[]),
        column("结束原因", "end_reason", Code("结对结束原因"), false, "Why it ended.", &[]),
    ],
};

/// Positions in [`PAIRINGS`].
pub mod pairing {
    positions! { 0; SUBJECT_KIND SUBJECT OBJECT_KIND OBJECT STARTS_ON ENDS_ON END_REASON }
}
