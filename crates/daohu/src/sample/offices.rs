//! What helping units are called and what they are. Counties have these offices everywhere; that
//! one of them helps a certain village is made up.

/// A unit's 名称, behind the name of its area, and its 单位类型.
pub(super) struct Office {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// 单位类型, as far as the sample has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Government,
    Institution,
    Company,
    Association,
    Bank,
}

impl Kind {
    /// The name in the code list.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Government => "党政机关",
            Self::Institution => "事业单位",
            Self::Company => "国有企业",
            Self::Association => "社会组织",
            Self::Bank => "金融机构",
        }
    }

    /// The first two characters of 统一社会信用代码: who registered it, and as what (GB 32100).
    pub(super) fn authority(self) -> &'static str {
        match self {
            Self::Government => "11",
            Self::Institution => "12",
            Self::Association => "13",
            Self::Company | Self::Bank => "91",
        }
    }
}

const fn government(name: &'static str) -> Office {
    Office { name, kind: Kind::Government }
}

const fn institution(name: &'static str) -> Office {
    Office { name, kind: Kind::Institution }
}

const fn association(name: &'static str) -> Office {
    Office { name, kind: Kind::Association }
}

const fn company(name: &'static str) -> Office {
    Office { name, kind: Kind::Company }
}

const fn bank(name: &'static str) -> Office {
    Office { name, kind: Kind::Bank }
}

/// A county's units. Its leaders sit in the first four.
const COUNTY: &[Office] = &[
    government("委员会办公室"),
    government("人民代表大会常务委员会办公室"),
    government("人民政府办公室"),
    government("政协委员会办公室"),
    government("纪律检查委员会"),
    government("委员会组织部"),
    government("委员会宣传部"),
    government("委员会统一战线工作部"),
    government("委员会政法委员会"),
    government("人民法院"),
    government("人民检察院"),
    government("发展和改革委员会"),
    government("教育委员会"),
    government("财政局"),
    government("农业委员会"),
    government("扶贫开发办公室"),
    government("民政局"),
    government("人力资源和社会保障局"),
    government("国土资源局"),
    government("环境保护局"),
    government("城乡建设委员会"),
    government("规划局"),
    government("交通委员会"),
    government("水务局"),
    government("林业局"),
    government("商务局"),
    government("文化委员会"),
    government("旅游局"),
    government("卫生和计划生育委员会"),
    government("审计局"),
    government("统计局"),
    government("安全生产监督管理局"),
    government("民族宗教事务委员会"),
    government("公安局"),
    government("司法局"),
    government("国家税务局"),
    government("地方税务局"),
    government("工商行政管理局"),
    government("食品药品监督管理局"),
    government("质量技术监督局"),
    government("信访办公室"),
    government("档案局"),
    association("总工会"),
    association("共青团委员会"),
    association("妇女联合会"),
    association("工商业联合会"),
    association("科学技术协会"),
    association("残疾人联合会"),
    association("文学艺术界联合会"),
    association("红十字会"),
    institution("委员会党校"),
    institution("供销合作社联合社"),
    institution("移民局"),
    institution("粮食局"),
    institution("畜牧兽医局"),
    institution("气象局"),
    institution("机关事务管理局"),
    institution("公路局"),
    institution("广播电视台"),
    institution("人民医院"),
    institution("中医院"),
    institution("妇幼保健院"),
    institution("疾病预防控制中心"),
    institution("职业教育中心"),
    institution("农业技术推广站"),
    institution("国有林场"),
    company("供电公司"),
    company("自来水公司"),
    company("公共交通公司"),
    company("旅游投资公司"),
    company("城市建设投资公司"),
    company("烟草公司"),
    bank("农村商业银行"),
    bank("村镇银行"),
    bank("融资担保公司"),
];

/// Schools make up the rest: 第1小学 and on.
const SCHOOL: Office = institution("小学");

const CITY: &[Office] = &[
    government("委员会组织部"),
    government("发展和改革委员会"),
    government("财政局"),
    government("教育局"),
    government("农业局"),
    government("扶贫开发办公室"),
    government("民政局"),
    government("人力资源和社会保障局"),
    government("国土资源局"),
    government("环境保护局"),
    government("住房和城乡建设局"),
    government("交通运输局"),
    government("水务局"),
    government("林业局"),
    government("商务局"),
    government("文化体育局"),
    government("旅游发展委员会"),
    government("卫生和计划生育委员会"),
    government("审计局"),
    government("统计局"),
    government("公安局"),
    government("司法局"),
    government("中级人民法院"),
    government("人民检察院"),
    association("总工会"),
    association("妇女联合会"),
    association("科学技术协会"),
    institution("委员会党校"),
    institution("人民医院"),
    institution("广播电视台"),
    institution("师范学院"),
    institution("农业科学研究所"),
    company("供电局"),
    company("烟草公司"),
    company("水利投资公司"),
    bank("商业银行"),
];

const PROVINCE: &[Office] = &[
    government("财政厅"),
    government("交通运输厅"),
    government("水利厅"),
    government("农业厅"),
    government("林业厅"),
];

const STATE: &[Office] = &[government("国家定点帮扶单位")];

/// Offices by 单位级别: 国家, 省, 市, 县.
const LEVELS: [&[Office]; 4] = [STATE, PROVINCE, CITY, COUNTY];

/// The office at this place among the units of its level, and the number that tells it from
/// others of its kind where the list is at its end.
pub(super) fn office(level: usize, place: usize) -> (&'static Office, Option<usize>) {
    let offices = LEVELS.get(level).copied().unwrap_or(COUNTY);
    match offices.get(place) {
        Some(office) => (office, None),
        None => (&SCHOOL, Some(place - offices.len() + 1)),
    }
}
