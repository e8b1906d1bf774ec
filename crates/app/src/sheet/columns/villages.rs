//! 村: the columns of villages' yearly records.

use daohu_base::AreaLevel;

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// Persons or households of one village at most.
const PEOPLE_MAX: i64 = 1_000_000;
/// Things of which a village has a few.
const THINGS_MAX: i64 = 10_000;
/// Causes named for a village.
const CAUSES_MAX: usize = 3;

/// 村: What a village had in one year.
pub static VILLAGES: Sheet = Sheet {
    name: "villages",
    title: "村",
    columns: &[
        column("行政村代码", "village", Area(Some(AreaLevel::Village)), true, "12 digits.", &[]),
        column("年度", "year", Year, true, "The year.", &[]),
        column("自然村数", "hamlets", Count(THINGS_MAX), false, "Natural villages.", &[]),
        column("户数", "households", Count(PEOPLE_MAX), false, "All households.", &[]),
        column("人口", "population", Count(PEOPLE_MAX), false, "All persons.", &[]),
        column(
            "劳动力",
            "workers",
            Count(PEOPLE_MAX),
            false,
            "Men of 16 to 60 and women of 16 to 55 who can work.",
            &[],
        ),
        column(
            "外出务工人数",
            "workers_away",
            Count(PEOPLE_MAX),
            false,
            "Who worked elsewhere for more than three months.",
            &[],
        ),
        column(
            "集体经济收入",
            "collective_income_fen",
            Yuan,
            false,
            "Income of the collective economy.",
            &[],
        ),
        column("是否通硬化路", "has_paved_road", Flag, false, "A paved road leads there.", &[]),
        column("是否通客车", "has_bus", Flag, false, "A bus goes there.", &[]),
        column("是否通动力电", "has_production_power", Flag, false, "Three-phase power.", &[]),
        column("是否通宽带", "has_broadband", Flag, false, "Broadband.", &[]),
        column("有无卫生室", "has_clinic", Flag, false, "A village clinic.", &[]),
        column("执业医师数", "doctors", Count(THINGS_MAX), false, "Licensed doctors.", &[]),
        column("有无文化室", "has_culture_room", Flag, false, "A room for culture.", &[]),
        column(
            "安全饮水户数",
            "safe_water_households",
            Count(PEOPLE_MAX),
            false,
            "Households with safe drinking water.",
            &[],
        ),
        column("合作社数", "cooperatives", Count(THINGS_MAX), false, "Farmers' cooperatives.", &[]),
        column("是否有电商点", "has_e_commerce", Flag, false, "A point of e-commerce.", &[]),
        column(
            "主要致贫原因",
            "main_causes",
            Codes("致贫原因", CAUSES_MAX),
            false,
            "Why households of the village are poor, at most three causes.",
            &[],
        ),
        column("主导产业", "main_industry", Text(200), false, "What the village lives on.", &[]),
    ],
};

/// Positions in [`VILLAGES`].
pub mod village {
    positions! { 0;
        VILLAGE YEAR HAMLETS HOUSEHOLDS POPULATION WORKERS WORKERS_AWAY COLLECTIVE_INCOME_FEN
        HAS_PAVED_ROAD HAS_BUS HAS_PRODUCTION_POWER HAS_BROADBAND HAS_CLINIC DOCTORS
        HAS_CULTURE_ROOM SAFE_WATER_HOUSEHOLDS COOPERATIVES HAS_E_COMMERCE MAIN_CAUSES MAIN_INDUSTRY
    }
}
