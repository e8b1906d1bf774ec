//! One person of a household, and the words of the code lists that other modules compare.

use super::calendar::Day;
use super::names::Name;

/// 性别.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sex {
    #[default]
    Male,
    Female,
}

impl Sex {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Male => Self::Female,
            Self::Female => Self::Male,
        }
    }
}

/// Exactly one of 文化程度 and 在校生状况 is filled, so they are one value here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schooling {
    /// Out of school, with this 文化程度.
    Left(&'static str),
    /// In or before school, with this 在校生状况.
    Now(&'static str),
}

/// 健康状况; healthy when nothing is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) chronic: bool,
    pub(super) serious: bool,
    pub(super) disabled: bool,
}

impl Health {
    pub(super) fn is_good(self) -> bool {
        self == Self::default()
    }

    /// Ill, as the cause 因病 needs it.
    pub(super) fn is_ill(self) -> bool {
        self.chronic || self.serious
    }
}

/// 劳动技能.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Labour {
    Ordinary,
    Skilled,
    Weak,
    Lost,
    #[default]
    None,
}

impl Labour {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "普通劳动力",
            Self::Skilled => "技能劳动力",
            Self::Weak => "弱劳动力或半劳动力",
            Self::Lost => "丧失劳动力",
            Self::None => "无劳动力",
        }
    }

    /// Able to do some work. Weak counts, so that rules which ask for "able" hold either way.
    pub(super) fn is_some(self) -> bool {
        !matches!(self, Self::Lost | Self::None)
    }

    /// Able to work away from home.
    pub(super) fn is_full(self) -> bool {
        matches!(self, Self::Ordinary | Self::Skilled)
    }
}

/// 证件类型 with 证件号码. The numbers are ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paper {
    Identity([u8; 18]),
    /// The ID number with category and grade behind it.
    Disability([u8; 20]),
    BirthCertificate,
    Missing,
}

/// A person who belongs, or belonged within the income years, to the household.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// 与户主关系.
    pub(super) relation: &'static str,
    pub(super) sex: Sex,
    pub(super) birth: Day,
    /// Years at the end of the last income year.
    pub(super) age: i32,
    pub(super) name: Name,
    /// 民族.
    pub(super) people: &'static str,
    pub(super) paper: Paper,
    pub(super) schooling: Schooling,
    /// 失学原因 of a child who left school too early.
    pub(super) dropout: Option<&'static str>,
    pub(super) health: Health,
    pub(super) labour: Labour,
    /// 务工所在地 and months of the last year.
    pub(super) work: Option<(&'static str, i64)>,
    /// 是否公益性岗位.
    pub(super) public_post: bool,
    pub(super) dibao: bool,
    pub(super) tekun: bool,
    pub(super) joined: Option<(&'static str, Day)>,
    pub(super) left: Option<(&'static str, Day)>,
}

impl Member {
    /// A member with nothing but a place in the family.
    pub(super) fn new(relation: &'static str, sex: Sex, birth: Day, year: i32) -> Self {
        Self {
            relation,
            sex,
            birth,
            age: year - birth.year(),
            name: Name::default(),
            people: "",
            paper: Paper::Missing,
            schooling: Schooling::Left(""),
            dropout: None,
            health: Health::default(),
            labour: Labour::None,
            work: None,
            public_post: false,
            dibao: false,
            tekun: false,
            joined: None,
            left: None,
        }
    }

    pub(super) fn is_current(&self) -> bool {
        self.left.is_none()
    }

    /// Belongs to the household on the day.
    pub(super) fn is_present(&self, day: Day) -> bool {
        self.joined.is_none_or(|(_, joined)| joined <= day)
            && self.left.is_none_or(|(_, left)| day < left)
    }

    pub(super) fn is_student(&self) -> bool {
        matches!(self.schooling, Schooling::Now(stage) if stage != "学龄前儿童")
    }
}
