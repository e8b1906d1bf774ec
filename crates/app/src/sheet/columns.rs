//! The columns of every sheet, in the order of the national form.

use daohu_base::AreaLevel;

use super::{Column, Kind::*, Secret, Sheet};

const fn column(
    header: &'static str,
    name: &'static str,
    kind: super::Kind,
    required: bool,
    doc: &'static str,
    aliases: &'static [&'static str],
) -> Column {
    Column { header, aliases, name, kind, required, doc }
}

/// Gives each column of a sheet a constant with its position.
macro_rules! positions {
    ($i:expr;) => {};
    ($i:expr; $name:ident $($rest:ident)*) => {
        #[expect(missing_docs, reason = "documented in the table of columns")]
        pub const $name: usize = $i;
        positions!($i + 1; $($rest)*);
    };
}

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

/// 户: A registered household.
pub static HOUSEHOLDS: Sheet = Sheet {
    name: "households",
    title: "户",
    columns: &[
        column("户编号", "no", Key, true, "The number that people use; unique in its county.", &[]),
        column(
            "行政村代码",
            "village",
            Area(Some(AreaLevel::Village)),
            true,
            "The village it is registered in.",
            &[],
        ),
        column(
            "村民小组",
            "group_code",
            Group,
            false,
            "The villagers' group under the village.",
            &[],
        ),
        column("户主姓名", "head_name", Text(50), false, "The head's name.", &[]),
        column(
            "联系电话",
            "phone",
            Secret(Secret::Phone),
            false,
            "The household's telephone number.",
            &["aar012"],
        ),
        column(
            "开户银行",
            "bank_name",
            Text(100),
            false,
            "The bank that keeps the household's account.",
            &[],
        ),
        column(
            "银行卡号",
            "bank_card",
            Secret(Secret::BankCard),
            false,
            "The account's card number.",
            &[],
        ),
        column("户类型", "residence_kind", Code("户类型"), false, "Rural or urban.", &[]),
        column(
            "识别标准",
            "standard",
            Code("识别标准"),
            false,
            "Whose standard it was identified by.",
            &[],
        ),
        column("识别年度", "identified_year", Year, false, "The year of identification.", &[]),
        column(
            "贫困户属性",
            "poverty_kind",
            Code("贫困户属性"),
            false,
            "Ordinary, allowance or extreme-hardship household, before or after exit.",
            &[],
        ),
        column(
            "主要致贫原因",
            "main_cause",
            Code("致贫原因"),
            false,
            "The main cause of poverty.",
            &["aac007"],
        ),
        column(
            "其他致贫原因",
            "other_causes",
            Codes("致贫原因", 2),
            false,
            "At most two other causes.",
            &["aac008"],
        ),
        column(
            "因病情形",
            "illness_situation",
            Code("因病情形"),
            false,
            "For illness: under treatment, or indebted by it.",
            &[],
        ),
        column(
            "是否军烈属",
            "is_martyr_family",
            Flag,
            false,
            "Family of a soldier or martyr.",
            &[],
        ),
        column("是否独生子女户", "is_one_child", Flag, false, "One-child household.", &[]),
        column("是否双女户", "is_two_daughters", Flag, false, "Two-daughter household.", &[]),
        column(
            "计划脱贫年度",
            "planned_exit_year",
            Year,
            false,
            "The year planned for leaving poverty.",
            &[],
        ),
        column("脱贫年度", "exit_year", Year, false, "The year it left poverty.", &[]),
        column(
            "脱贫状态",
            "exit_status",
            Code("脱贫状态"),
            false,
            "In poverty, out of it, or fallen back.",
            &[],
        ),
        column("返贫原因", "relapse_cause", Code("返贫原因"), false, "Why it fell back.", &[]),
        column(
            "监测对象类别",
            "monitoring_kind",
            Code("监测对象类别"),
            false,
            "Class of relapse monitoring.",
            &[],
        ),
        column("是否易地搬迁户", "is_relocated", Flag, false, "Relocated household.", &[]),
        column("是否不愁吃", "has_enough_food", Flag, false, "No worry about food.", &[]),
        column("是否不愁穿", "has_enough_clothing", Flag, false, "No worry about clothing.", &[]),
        column(
            "耕地面积",
            "farmland_mu",
            Quantity(0.0, 1e6),
            false,
            "Farmland, in mu (1/15 ha).",
            &["aac301"],
        ),
        column(
            "有效灌溉面积",
            "irrigated_mu",
            Quantity(0.0, 1e6),
            false,
            "Of it irrigated, in mu.",
            &[],
        ),
        column("林地面积", "forest_mu", Quantity(0.0, 1e6), false, "Forest, in mu.", &[]),
        column(
            "退耕还林面积",
            "returned_forest_mu",
            Quantity(0.0, 1e6),
            false,
            "Farmland returned to forest, in mu.",
            &[],
        ),
        column("林果面积", "orchard_mu", Quantity(0.0, 1e6), false, "Orchards, in mu.", &[]),
        column("牧草地面积", "pasture_mu", Quantity(0.0, 1e6), false, "Pasture, in mu.", &[]),
        column("水面面积", "water_mu", Quantity(0.0, 1e6), false, "Water surface, in mu.", &[]),
        column("是否通生产用电", "has_production_power", Flag, false, "Power for production.", &[]),
        column(
            "是否通生活用电",
            "has_domestic_power",
            Flag,
            false,
            "Power for the home.",
            &["aac313"],
        ),
        column(
            "是否通广播电视",
            "has_broadcast",
            Flag,
            false,
            "Radio and television.",
            &["aac314"],
        ),
        column(
            "与村主干路距离",
            "road_distance_km",
            Quantity(0.0, 1e4),
            false,
            "Distance to the village's main road, in km.",
            &["aac315"],
        ),
        column(
            "入户路类型",
            "access_road",
            Code("入户路类型"),
            false,
            "Surface of the road to the house.",
            &["aac316"],
        ),
        column(
            "住房面积",
            "floor_area_m2",
            Quantity(0.0, 1e5),
            false,
            "Floor area, in m².",
            &["aac317"],
        ),
        column(
            "住房结构",
            "structure",
            Code("住房结构"),
            false,
            "What the house is built of.",
            &[],
        ),
        column("建房年份", "built_year", Year, false, "The year the house was built.", &[]),
        column("是否危房户", "is_unsafe", Flag, false, "Lives in an unsafe house.", &["aac318"]),
        column(
            "危房等级",
            "unsafe_grade",
            Code("危房等级"),
            false,
            "A to D; C and D are unsafe.",
            &["aac322"],
        ),
        column(
            "危改年度",
            "rebuilt_year",
            Year,
            false,
            "The year the unsafe house was rebuilt.",
            &[],
        ),
        column("饮水是否困难", "water_is_hard", Flag, false, "Water is hard to get.", &[]),
        column(
            "饮水是否安全",
            "water_is_safe",
            Flag,
            false,
            "Drinking water is safe.",
            &["aac091"],
        ),
        column("主要燃料类型", "fuel", Code("主要燃料类型"), false, "Main fuel.", &["aac320"]),
        column("有无卫生厕所", "has_toilet", Flag, false, "Sanitary toilet.", &["aac319"]),
        column(
            "是否加入合作社",
            "in_cooperative",
            Flag,
            false,
            "Member of a cooperative.",
            &["aac084"],
        ),
        column(
            "是否龙头企业带动",
            "with_enterprise",
            Flag,
            false,
            "Works with a leading enterprise.",
            &[],
        ),
        column(
            "产业类型",
            "industries",
            Codes("产业类型", 9),
            false,
            "What the household lives by.",
            &[],
        ),
        column("经度", "longitude_deg", Quantity(-180.0, 180.0), false, "WGS-84.", &[]),
        column("纬度", "latitude_deg", Quantity(-90.0, 90.0), false, "WGS-84.", &[]),
    ],
};

/// Positions in [`HOUSEHOLDS`].
pub mod household {
    positions! { 0;
        NO VILLAGE GROUP_CODE HEAD_NAME PHONE BANK_NAME BANK_CARD RESIDENCE_KIND STANDARD
        IDENTIFIED_YEAR POVERTY_KIND MAIN_CAUSE OTHER_CAUSES ILLNESS_SITUATION IS_MARTYR_FAMILY
        IS_ONE_CHILD IS_TWO_DAUGHTERS PLANNED_EXIT_YEAR EXIT_YEAR EXIT_STATUS RELAPSE_CAUSE
        MONITORING_KIND IS_RELOCATED HAS_ENOUGH_FOOD HAS_ENOUGH_CLOTHING FARMLAND_MU
        IRRIGATED_MU FOREST_MU RETURNED_FOREST_MU ORCHARD_MU PASTURE_MU WATER_MU
        HAS_PRODUCTION_POWER HAS_DOMESTIC_POWER HAS_BROADCAST ROAD_DISTANCE_KM ACCESS_ROAD
        FLOOR_AREA_M2 STRUCTURE BUILT_YEAR IS_UNSAFE UNSAFE_GRADE REBUILT_YEAR WATER_IS_HARD
        WATER_IS_SAFE FUEL HAS_TOILET IN_COOPERATIVE WITH_ENTERPRISE INDUSTRIES LONGITUDE_DEG
        LATITUDE_DEG
    }
}

/// 人: A member of a household.
pub static PERSONS: Sheet = Sheet {
    name: "persons",
    title: "人",
    columns: &[
        column("户编号", "household_no", Key, true, "The household.", &[]),
        column("姓名", "name", Text(50), true, "The name.", &[]),
        column(
            "证件类型",
            "id_kind",
            Code("证件类型"),
            false,
            "What kind of document the number is from.",
            &[],
        ),
        column(
            "证件号码",
            "id_number",
            Secret(Secret::IdNumber),
            false,
            "The document's number.",
            &["aab004"],
        ),
        column(
            "与户主关系",
            "relation",
            Code("与户主关系"),
            true,
            "Relation to the head.",
            &["aab006"],
        ),
        column("性别", "sex", Code("性别"), false, "Sex.", &[]),
        column(
            "出生日期",
            "born_on",
            Day,
            false,
            "Birth date; an ID number's own goes before it.",
            &[],
        ),
        column("民族", "ethnic_group", Code("民族"), false, "Ethnic group.", &["aab007"]),
        column(
            "文化程度",
            "education",
            Code("文化程度"),
            false,
            "Schooling completed.",
            &["aab008"],
        ),
        column(
            "在校生状况",
            "school_stage",
            Code("在校生状况"),
            false,
            "School attended now.",
            &["aab009"],
        ),
        column(
            "是否失学辍学",
            "dropped_out",
            Flag,
            false,
            "Out of school though of school age.",
            &[],
        ),
        column("失学原因", "dropout_reason", Code("失学原因"), false, "Why out of school.", &[]),
        column(
            "健康状况",
            "health",
            Codes("健康状况", 4),
            false,
            "Health; healthy excludes the others.",
            &["aab017"],
        ),
        column("劳动技能", "labour", Code("劳动技能"), false, "Ability to work.", &["aab010"]),
        column("政治面貌", "political_status", Code("政治面貌"), false, "Party membership.", &[]),
        column(
            "务工所在地",
            "work_place",
            Text(100),
            false,
            "Where the person works away from home.",
            &["aab025"],
        ),
        column(
            "务工时间",
            "work_months",
            Count(1_000),
            false,
            "Months of work away in the year.",
            &["aab012"],
        ),
        column(
            "是否公益性岗位",
            "has_public_post",
            Flag,
            false,
            "Holds a public-welfare post.",
            &[],
        ),
        column("技能培训", "training", Text(200), false, "Training: what and when.", &[]),
        column(
            "城乡居民基本医疗保险",
            "resident_medical",
            Flag,
            false,
            "Basic medical insurance for residents.",
            &["aab013"],
        ),
        column(
            "职工基本医疗保险",
            "employee_medical",
            Flag,
            false,
            "Basic medical insurance for employees.",
            &[],
        ),
        column(
            "大病保险",
            "critical_illness",
            Flag,
            false,
            "Critical-illness insurance.",
            &["aab022"],
        ),
        column(
            "商业补充医疗保险",
            "commercial_medical",
            Flag,
            false,
            "Commercial medical insurance.",
            &[],
        ),
        column(
            "城乡居民养老保险",
            "resident_pension",
            Flag,
            false,
            "Pension insurance for residents.",
            &["aab014"],
        ),
        column(
            "是否享受低保",
            "has_allowance",
            Flag,
            false,
            "Receives the minimum living allowance.",
            &[],
        ),
        column(
            "是否特困供养",
            "has_hardship_support",
            Flag,
            false,
            "Supported as extremely poor.",
            &[],
        ),
        column(
            "是否家庭医生签约",
            "has_family_doctor",
            Flag,
            false,
            "Signed with a family doctor.",
            &[],
        ),
        column(
            "是否慢病签约",
            "has_chronic_care",
            Flag,
            false,
            "Signed for chronic-disease care.",
            &[],
        ),
        column(
            "是否大病救助",
            "has_illness_relief",
            Flag,
            false,
            "Received relief for a critical illness.",
            &[],
        ),
        column(
            "联系电话",
            "phone",
            Secret(Secret::Phone),
            false,
            "The person's telephone number.",
            &[],
        ),
        column(
            "变动类型",
            "change_kind",
            Code("变动类型"),
            false,
            "How the person joined or left the household.",
            &[],
        ),
        column("变动日期", "change_on", Day, false, "When.", &[]),
    ],
};

/// Positions in [`PERSONS`].
pub mod person {
    positions! { 0;
        HOUSEHOLD_NO NAME ID_KIND ID_NUMBER RELATION SEX BORN_ON ETHNIC_GROUP EDUCATION
        SCHOOL_STAGE DROPPED_OUT DROPOUT_REASON HEALTH LABOUR POLITICAL_STATUS WORK_PLACE
        WORK_MONTHS HAS_PUBLIC_POST TRAINING RESIDENT_MEDICAL EMPLOYEE_MEDICAL CRITICAL_ILLNESS
        COMMERCIAL_MEDICAL RESIDENT_PENSION HAS_ALLOWANCE HAS_HARDSHIP_SUPPORT HAS_FAMILY_DOCTOR
        HAS_CHRONIC_CARE HAS_ILLNESS_RELIEF PHONE CHANGE_KIND CHANGE_ON
    }
}

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
}
