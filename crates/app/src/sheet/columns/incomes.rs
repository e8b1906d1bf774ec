//! 年度收入: the columns of yearly incomes.

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// 年度收入: A household's income of one year, by kind.
pub static INCOMES: Sheet = Sheet {
    name: "incomes",
    title: "年度收入",
    columns: &[
        column("户编号", "household_no", Key, true, "The household.", &[]),
        column("年度", "year", Year, true, "The year.", &[]),
        column(
            "家庭人口",
            "members",
            Count(100),
            false,
            "Persons who live together and share income and expenses.",
            &[],
        ),
        column("工资性收入", "wage_fen", Yuan, false, "Wages.", &["aac073"]),
        column(
            "生产经营性收入",
            "business_fen",
            Yuan,
            false,
            "Receipts of the household's own production.",
            &["aac071"],
        ),
        column("财产性收入", "property_fen", Yuan, false, "Income from property.", &["aac072"]),
        column(
            "转移性收入",
            "transfer_fen",
            Yuan,
            false,
            "Transfers, the total of the parts below.",
            &[],
        ),
        column(
            "计划生育金",
            "family_planning_fen",
            Yuan,
            false,
            "Part of transfers: family-planning award.",
            &["aac076"],
        ),
        column(
            "低保金",
            "allowance_fen",
            Yuan,
            false,
            "Part of transfers: minimum living allowance.",
            &["aac077"],
        ),
        column(
            "特困供养金",
            "hardship_fen",
            Yuan,
            false,
            "Part of transfers: support of the extremely poor.",
            &["aac086"],
        ),
        column(
            "养老保险金",
            "pension_fen",
            Yuan,
            false,
            "Part of transfers: pensions.",
            &["aac087"],
        ),
        column(
            "生态补偿金",
            "ecology_fen",
            Yuan,
            false,
            "Part of transfers: ecological compensation.",
            &["aac078"],
        ),
        column(
            "其他转移性收入",
            "other_transfer_fen",
            Yuan,
            false,
            "Part of transfers: all else.",
            &["aac083"],
        ),
        column(
            "生产经营性支出",
            "business_cost_fen",
            Yuan,
            false,
            "Costs of the household's own production.",
            &["aac074"],
        ),
        column(
            "合规自付医疗支出",
            "medical_self_paid_fen",
            Yuan,
            false,
            "Medical expenses paid by the household itself.",
            &[],
        ),
    ],
};

/// Positions in [`INCOMES`].
pub mod income {
    positions! { 0;
        HOUSEHOLD_NO YEAR MEMBERS WAGE_FEN BUSINESS_FEN PROPERTY_FEN TRANSFER_FEN
        FAMILY_PLANNING_FEN ALLOWANCE_FEN HARDSHIP_FEN PENSION_FEN ECOLOGY_FEN
        OTHER_TRANSFER_FEN BUSINESS_COST_FEN MEDICAL_SELF_PAID_FEN
    }

    /// The kinds of income that add up.
    pub const KINDS: [usize; 4] = [WAGE_FEN, BUSINESS_FEN, PROPERTY_FEN, TRANSFER_FEN];

    /// The parts of transfers.
    pub const OF_TRANSFERS: [usize; 6] = [
        FAMILY_PLANNING_FEN,
        ALLOWANCE_FEN,
        HARDSHIP_FEN,
        PENSION_FEN,
        ECOLOGY_FEN,
        OTHER_TRANSFER_FEN,
    ];
}
