//! What is known, or assumed, about a region: the published figures and the made-up colour.
//!
//! Published figures carry their source. Everything else is a plausible guess that only has to
//! make a demonstration look like the region; it is no statement about the region.

/// Which villages are flagged 是否贫困村.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoorVillages {
    /// A published number; fewer if there are fewer villages.
    Exactly(u32),
    /// A share, where only a province-wide number or none is known.
    PerMille(u32),
}

/// Figures of a county, or of all counties of a province that are not listed themselves.
#[derive(Debug)]
pub(super) struct Facts {
    /// The area code, or the digits that its codes start with.
    pub(super) prefix: &'static str,
    /// 是否贫困县; `None` where the texts do not say.
    pub(super) poor_county: Option<bool>,
    /// Number of 是否贫困乡镇; `None` where the texts do not say.
    pub(super) poor_towns: Option<u32>,
    /// How their names start, where the texts name them; others are flagged by lot.
    pub(super) poor_town_names: &'static [&'static str],
    pub(super) poor_villages: PoorVillages,
    /// Poor persons per thousand rural persons.
    pub(super) incidence: i32,
    /// Peoples, by weight.
    pub(super) peoples: &'static [(u32, &'static str)],
    /// Surnames common in the region, drawn for one person in three.
    pub(super) surnames: &'static [&'static str],
    /// Farmland and woodland per head, tenths of a mu.
    pub(super) farmland: i32,
    pub(super) woodland: i32,
    pub(super) banks: &'static [&'static str],
    /// 务工所在地 within reach; empty where only the far cities are used.
    pub(super) near: &'static [&'static str],
    /// 产业类型, by weight.
    pub(super) trades: &'static [(u32, &'static str)],
    pub(super) help: Help,
    /// Published targets, ascending; where there is none, some are made up.
    pub(super) targets: &'static [Target],
    /// Published statistics, ascending; none are made up.
    pub(super) indicators: &'static [Indicator],
}

/// Who helps, as far as it is published; `None` takes the usual share.
#[derive(Debug)]
pub(super) struct Help {
    /// 县级领导, who answer for the townships.
    pub(super) leaders: Option<u32>,
    /// Helping units by 单位级别: 国家, 省, 市, 县.
    pub(super) units: Option<[u32; 4]>,
    /// 驻村工作队: of the poor villages first, then of others. Usually of the poor ones alone.
    pub(super) teams: Option<u32>,
    /// Members of all teams together, the first secretaries among them.
    pub(super) team_members: Option<u32>,
    /// 扶贫专干.
    pub(super) officers: Option<u32>,
}

const USUAL: Help =
    Help { leaders: None, units: None, teams: None, team_members: None, officers: None };

/// So many for so many: what is published of 酉阳 is the usual share of every other county.
pub(super) struct Share {
    pub(super) helpers: u64,
    pub(super) helped: u64,
}

/// "优选2546名扶贫干部对应帮扶32377户贫困户".
pub(super) const HELPERS: Share = Share { helpers: 2546, helped: 32_377 };
/// "36名县领导对应负责39个乡镇(街道)脱贫攻坚".
pub(super) const LEADERS: Share = Share { helpers: 36, helped: 39 };
/// "102个部门单位对应负责130个贫困村的脱贫攻坚".
pub(super) const UNITS: Share = Share { helpers: 102, helped: 130 };
/// "组建130个驻村工作队,650名驻村工作队队员": also the "一村五人" of 贵州.
pub(super) const TEAM_MEMBERS: u64 = 5;

/// A planned figure that the campaign's texts give for counties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Planned {
    /// 脱贫人口.
    PersonsOut,
    /// 出列村.
    VillagesOut,
    /// 搬迁户.
    HouseholdsMoved,
    /// 搬迁人口.
    PersonsMoved,
}

/// A county's target for a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) year: i32,
    pub(super) planned: Planned,
    pub(super) value: u64,
}

const fn target(year: i32, planned: Planned, value: u64) -> Target {
    Target { year, planned, value }
}

/// A published figure of a county.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Indicator {
    pub(super) period: &'static str,
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    pub(super) unit: &'static str,
    pub(super) source: &'static str,
}

const fn indicator(
    source: &'static str,
    period: &'static str,
    name: &'static str,
    value: &'static str,
    unit: &'static str,
) -> Indicator {
    Indicator { period, name, value, unit, source }
}

const YOUYANG: &str = "国家民委网站 2017-07-06";
const MOJIANG: &str = "国家民委网站 2017-06-23";
const LINSHUI: &str = "《邻水举全县之力共筑脱贫奔康致富路》";

/// Published totals of a province, shared out among its counties.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) prefix: &'static str,
    pub(super) poor_counties: u32,
    pub(super) poor_towns: u32,
    pub(super) poor_villages: u32,
}

/// The province whose totals are published: "贫困乡镇934个、贫困村9000个", "50个重点县"
/// (海口网, 2016-06-19, "脱贫攻坚的贵州解法").
const TOTALS: &[Totals] =
    &[Totals { prefix: "52", poor_counties: 50, poor_towns: 934, poor_villages: 9000 }];

const TRADES: &[(u32, &str)] = &[
    (46, "种植"),
    (30, "养殖"),
    (12, "林果"),
    (3, "加工"),
    (2, "旅游"),
    (1, "电商"),
    (1, "光伏"),
    (3, "服务"),
    (2, "其他"),
];

/// Counties first, then provinces, then everything else: the first prefix that fits is used.
const FACTS: &[Facts] = &[
    // 酉阳: 130 poor villages, 国家扶贫开发工作重点县 (国家民委, 2017-07-06). Incidence assumed.
    Facts {
        prefix: "500242",
        poor_county: Some(true),
        poor_towns: None,
        poor_town_names: &[],
        poor_villages: PoorVillages::Exactly(130),
        incidence: 155,
        peoples: &[(62, "土家族"), (27, "苗族"), (10, "汉族"), (1, "侗族")],
        surnames: &["冉", "田", "白", "彭", "石", "向", "黄", "龚", "庹", "姚"],
        farmland: 14,
        woodland: 32,
        banks: &["重庆农村商业银行", "中国邮政储蓄银行", "中国农业银行"],
        near: &["重庆市渝北区", "重庆市九龙坡区", "重庆市沙坪坝区", "重庆市黔江区"],
        trades: TRADES,
        help: Help {
            leaders: Some(36),
            units: Some([0, 0, 0, 102]),
            teams: Some(130),
            team_members: Some(650),
            officers: Some(270),
        },
        // "2015年实现38个村脱贫销号,50628人脱贫越线", taken as what was planned.
        targets: &[
            target(2015, Planned::PersonsOut, 50_628),
            target(2015, Planned::VillagesOut, 38),
        ],
        indicators: &[
            indicator(YOUYANG, "2015", "地区生产总值", "117", "亿元"),
            indicator(YOUYANG, "2015", "少数民族人口", "76.7", "万人"),
            indicator(YOUYANG, "2015", "工业总产值", "131.2", "亿元"),
            indicator(YOUYANG, "2015", "总人口", "85", "万人"),
            indicator(YOUYANG, "2015", "整合资金", "17.49", "亿元"),
            indicator(YOUYANG, "2015", "本级财政支出", "51.2", "亿元"),
            indicator(YOUYANG, "2015", "脱贫越线人口", "50628", "人"),
            indicator(YOUYANG, "2015", "脱贫销号村", "38", "个"),
            indicator(YOUYANG, "2015", "金融机构存贷款总量", "240", "亿元"),
        ],
    },
    // 墨江: 7 poor townships, 53 poor villages, incidence 20.06 % (国家民委, 2017-06-23).
    Facts {
        prefix: "530822",
        poor_county: Some(true),
        poor_towns: Some(7),
        poor_town_names: &["龙坝", "那哈", "鱼塘", "雅邑", "坝溜", "孟弄", "龙潭"],
        poor_villages: PoorVillages::Exactly(53),
        incidence: 201,
        peoples: &[(61, "哈尼族"), (11, "彝族"), (25, "汉族"), (2, "拉祜族"), (1, "傣族")],
        surnames: &["普", "白", "罗", "马", "陶", "杨", "车", "李", "王", "龙"],
        farmland: 28,
        woodland: 75,
        banks: &["云南省农村信用社", "中国邮政储蓄银行", "中国农业银行"],
        near: &["云南省昆明市", "云南省玉溪市", "云南省普洱市思茅区"],
        trades: &[(44, "种植"), (24, "养殖"), (26, "林果"), (2, "加工"), (2, "服务"), (2, "其他")],
        // "1家国家部级、5家省级、36家市级和115家县级单位", "168个队733人" (the same text).
        help: Help {
            units: Some([1, 5, 36, 115]),
            teams: Some(168),
            team_members: Some(733),
            ..USUAL
        },
        // "脱贫出列的2个乡(镇)和8个贫困村"; "2016年完成2381户9830人,2017年完成2101户8298人,
        // 2018年完成1919户7507人".
        targets: &[
            target(2016, Planned::VillagesOut, 8),
            target(2016, Planned::HouseholdsMoved, 2381),
            target(2016, Planned::PersonsMoved, 9830),
            target(2017, Planned::HouseholdsMoved, 2101),
            target(2017, Planned::PersonsMoved, 8298),
            target(2018, Planned::HouseholdsMoved, 1919),
            target(2018, Planned::PersonsMoved, 7507),
        ],
        indicators: &[
            indicator(MOJIANG, "2015", "国土面积", "5312", "平方公里"),
            indicator(MOJIANG, "2015", "建档立卡贫困人口", "60749", "人"),
            indicator(MOJIANG, "2015", "总人口", "36", "万人"),
            indicator(MOJIANG, "2015", "贫困发生率", "20.06", "%"),
        ],
    },
    // 邻水: 152 poor villages, incidence 9.5 % ("邻水举全县之力共筑脱贫奔康致富路"). The text does
    // not say whether it is a poor county.
    Facts {
        prefix: "511623",
        poor_county: None,
        poor_towns: None,
        poor_town_names: &[],
        poor_villages: PoorVillages::Exactly(152),
        incidence: 95,
        peoples: &[(995, "汉族"), (3, "土家族"), (2, "苗族")],
        surnames: &["甘", "包", "冯", "熊", "廖", "游", "蒋", "邓", "杜", "袁"],
        farmland: 10,
        woodland: 12,
        banks: &["邻水农村商业银行", "中国邮政储蓄银行", "中国农业银行"],
        near: &["重庆市渝北区", "重庆市长寿区", "四川省成都市", "四川省广安市"],
        trades: TRADES,
        // "组建驻村工作组152个,选派第一书记152名" (the same text).
        help: Help { teams: Some(152), ..USUAL },
        // "帮助16301名农村贫困人口脱贫,占目标任务的120%": 16301 / 1.2 = 13584. The text says "今年";
        // 2015 is assumed, here and below.
        targets: &[target(2015, Planned::PersonsOut, 13_584)],
        indicators: &[
            indicator(LINSHUI, "2015Q1-3", "固定资产投资", "154.5", "亿元"),
            indicator(LINSHUI, "2015Q1-3", "地区生产总值", "154.7", "亿元"),
            indicator(LINSHUI, "2015Q1-3", "地方公共财政收入", "6.2", "亿元"),
            indicator(LINSHUI, "2015Q1-3", "社会消费品零售总额", "60.3", "亿元"),
        ],
    },
    // 贵州: 745万 persons registered, some 21 % of the rural ones; 14 % were left at the end of 2015.
    // Village share: 9000 of some 17,000.
    Facts {
        prefix: "52",
        poor_county: None,
        poor_towns: None,
        poor_town_names: &[],
        poor_villages: PoorVillages::PerMille(530),
        incidence: 210,
        peoples: &[
            (600, "汉族"),
            (120, "苗族"),
            (80, "布依族"),
            (45, "土家族"),
            (45, "侗族"),
            (40, "彝族"),
            (18, "仡佬族"),
            (12, "水族"),
            (5, "白族"),
            (4, "回族"),
            (2, "瑶族"),
            (1, "毛南族"),
        ],
        surnames: &["杨", "吴", "龙", "潘", "韦", "陆", "罗", "石", "安", "蒙"],
        farmland: 13,
        woodland: 24,
        banks: &["贵州省农村信用社", "中国邮政储蓄银行", "中国农业银行"],
        near: &["贵州省贵阳市", "贵州省遵义市", "贵州省毕节市"],
        trades: TRADES,
        help: USUAL,
        targets: &[],
        indicators: &[],
    },
    Facts {
        prefix: "",
        poor_county: None,
        poor_towns: None,
        poor_town_names: &[],
        poor_villages: PoorVillages::PerMille(300),
        incidence: 130,
        peoples: &[(94, "汉族"), (2, "回族"), (1, "壮族"), (1, "满族"), (1, "苗族"), (1, "彝族")],
        surnames: &["刘", "陈", "赵", "周", "吴", "徐", "孙", "马", "朱", "胡"],
        farmland: 18,
        woodland: 15,
        banks: &["农村商业银行", "农村信用社", "中国邮政储蓄银行", "中国农业银行"],
        near: &[],
        trades: TRADES,
        help: USUAL,
        targets: &[],
        indicators: &[],
    },
];

/// The facts with the longest prefix of the code.
pub(super) fn facts(code: &str) -> Option<&'static Facts> {
    FACTS.iter().find(|facts| code.starts_with(facts.prefix))
}

/// The published totals of a province.
pub(super) fn totals(province: &str) -> Option<&'static Totals> {
    TOTALS.iter().find(|totals| totals.prefix == province)
}
