//! 行政区划: the columns of areas.

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// 行政区划: A node of the area tree.
pub static AREAS: Sheet = Sheet {
    name: "areas",
    title: "行政区划",
    columns: &[
        column(
            "区划代码",
            "code",
            Area(None),
            true,
            "2, 4, 6, 9, 12 or 14 digits (GB/T 2260 and the statistical codes below it).",
            &[],
        ),
        column("名称", "name", Text(100), true, "The name in force.", &[]),
        column("级别", "level", Code("区划级别"), true, "Province to group.", &[]),
        column("类型", "kind", Code("区划类型"), false, "What kind of area of its level.", &[]),
        column("是否贫困县", "is_poor_county", Flag, false, "A key county of the campaign.", &[]),
        column("是否贫困乡镇", "is_poor_township", Flag, false, "A poor township.", &[]),
        column("是否贫困村", "is_poor_village", Flag, false, "A poor village.", &[]),
        column(
            "乡村户数",
            "rural_households",
            Count(1_000_000_000),
            false,
            "Rural households, the whole population.",
            &[],
        ),
        column(
            "乡村人口",
            "rural_population",
            Count(10_000_000_000),
            false,
            "Rural persons: the denominator of the incidence.",
            &[],
        ),
        column("经度", "longitude_deg", Quantity(-180.0, 180.0), false, "WGS-84.", &[]),
        column("纬度", "latitude_deg", Quantity(-90.0, 90.0), false, "WGS-84.", &[]),
        column("启用日期", "starts_on", Day, false, "The first day of the code.", &[]),
        column("停用日期", "ends_on", Day, false, "The last day of the code.", &[]),
        column(
            "前身代码",
            "predecessor",
            Area(None),
            false,
            "The code it was split from, merged from or renamed from.",
            &[],
        ),
    ],
};

/// Positions in [`AREAS`].
pub mod area {
    positions! { 0;
        CODE NAME LEVEL KIND IS_POOR_COUNTY IS_POOR_TOWNSHIP IS_POOR_VILLAGE RURAL_HOUSEHOLDS
        RURAL_POPULATION LONGITUDE_DEG LATITUDE_DEG STARTS_ON ENDS_ON PREDECESSOR
    }
}
