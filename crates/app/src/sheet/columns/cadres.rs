//! 干部: the columns of cadres.

use super::column;
use crate::sheet::{Kind::*, Secret, Sheet};

/// A cadre has at most so many roles.
const ROLES_MAX: usize = 12;

/// 干部: A person who helps: leaders, helpers, first secretaries, members of teams.
pub static CADRES: Sheet = Sheet {
    name: "cadres",
    title: "干部",
    columns: &[
        column("工号", "no", Key, true, "The cadre's number, the same in every county.", &[]),
        column("姓名", "name", Text(100), true, "The name.", &[]),
        column("性别", "sex", Code("性别"), false, "Sex (GB/T 2261.1).", &[]),
        column("单位编号", "organisation", Key, false, "The organisation he or she is of.", &[]),
        column("职务", "post", Text(100), false, "The post there.", &[]),
        column("角色", "roles", Codes("干部角色", ROLES_MAX), true, "What he or she does.", &[]),
        column("联系电话", "phone", Secret(Secret::Phone), false, "The telephone number.", &[]),
        column(
            "所在区划代码",
            "area",
            Area(None),
            false,
            "The area that he or she works for: who works there sees and changes the record.",
            &[],
        ),
    ],
};

/// Positions in [`CADRES`].
pub mod cadre {
    positions! { 0; NO NAME SEX ORGANISATION POST ROLES PHONE AREA }
}
