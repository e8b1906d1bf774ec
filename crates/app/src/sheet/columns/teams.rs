//! 工作队: the columns of teams' members.

use daohu_base::AreaLevel;

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// 工作队: A cadre's time in a village's team.
pub static TEAMS: Sheet = Sheet {
    name: "teams",
    title: "工作队",
    columns: &[
        column("队编号", "no", Key, true, "The team's number, unique in the county.", &[]),
        column("行政村代码", "village", Area(Some(AreaLevel::Village)), true, "12 digits.", &[]),
        column("工号", "cadre", Key, true, "The member.", &[]),
        column("是否队长", "is_leader", Flag, false, "The member leads the team.", &[]),
        column("开始日期", "starts_on", Day, true, "The first day in the team.", &[]),
        column("结束日期", "ends_on", Day, false, "The last day in the team.", &[]),
        column("结束原因", "end_reason", Code("结对结束原因"), false, "Why it ended.", &[]),
    ],
};

/// Positions in [`TEAMS`].
pub mod team {
    positions! { 0; NO VILLAGE CADRE IS_LEADER STARTS_ON ENDS_ON END_REASON }
}
