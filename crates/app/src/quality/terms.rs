//! What the packs say to the rules, looked up once: a province asks it of millions of records.

use daohu_policy::{Bounds, CodeSet, Policy};

use crate::households::Marks;

/// The codes that the rules tell apart, and the figures they compare with.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    // 与户主关系
    pub(super) head: CodeSet,
    pub(super) spouse: CodeSet,
    // 性别
    pub(super) male: CodeSet,
    pub(super) female: CodeSet,
    // 证件类型
    pub(super) checked: CodeSet,
    // 健康状况
    pub(super) healthy: CodeSet,
    pub(super) disabled: CodeSet,
    // 劳动技能
    pub(super) able: CodeSet,
    pub(super) unable: CodeSet,
    pub(super) no_skill: CodeSet,
    // 在校生状况
    pub(super) preschool: CodeSet,
    /// Each with the ages at which one goes there (R17).
    pub(super) stages: [(CodeSet, Bounds); 6],
    // 变动类型
    pub(super) leaves: CodeSet,
    // 危房等级
    pub(super) safe: CodeSet,
    pub(super) unsafe_grade: CodeSet,
    // 脱贫状态
    pub(super) out: CodeSet,
    // 贫困户属性
    pub(super) hardship: CodeSet,
    // 致贫原因
    pub(super) illness: CodeSet,
    pub(super) disability: CodeSet,
    pub(super) schooling: CodeSet,
    pub(super) labour: CodeSet,
    /// R10
    pub(super) work_months: Bounds,
    /// R15
    pub(super) fit_ages: Bounds,
    /// R19
    pub(super) compulsory_ages: Bounds,
    /// R21
    pub(super) able_ages: Bounds,
    /// R22
    pub(super) work_age_min: Option<i64>,
    pub(super) pension_age_min: Option<i64>,
    pub(super) pension_age_min_women: Option<i64>,
    /// R23
    pub(super) tolerance_fen: Option<i64>,
    /// R25
    pub(super) factor_max: Option<i64>,
    pub(super) line_times_max: Option<i64>,
    /// R27
    pub(super) floor_m2: Bounds,
    pub(super) farmland_mu: Bounds,
}

impl Terms {
    pub(super) fn of(policy: &Policy) -> Self {
        let marks = Marks::new(policy);
        let bound = |rule: &str, name: &str| policy.rule(rule).and_then(|rule| rule.bound(name));
        let bounds = |rule: &str, name: &str| {
            policy.rule(rule).map_or_else(Bounds::default, |rule| rule.bounds(name))
        };
        let stage = |mark| (marks.set("在校生状况", mark), bounds("R17", mark));
        Self {
            head: marks.set("与户主关系", "head"),
            spouse: marks.set("与户主关系", "spouse"),
            male: marks.set("性别", "male"),
            female: marks.set("性别", "female"),
            checked: marks.set("证件类型", "checked"),
            healthy: marks.set("健康状况", "healthy"),
            disabled: marks.set("健康状况", "disabled"),
            able: marks.set("劳动技能", "able"),
            unable: marks.set("劳动技能", "unable"),
            no_skill: marks.set("劳动技能", "none"),
            preschool: marks.set("在校生状况", "preschool"),
            stages: ["preschool", "primary", "junior", "senior", "college", "graduate"].map(stage),
            leaves: marks.set("变动类型", "leaves"),
            safe: marks.set("危房等级", "safe"),
            unsafe_grade: marks.set("危房等级", "unsafe"),
            out: marks.set("脱贫状态", "out"),
            hardship: marks.set("贫困户属性", "hardship"),
            illness: marks.set("致贫原因", "illness"),
            disability: marks.set("致贫原因", "disability"),
            schooling: marks.set("致贫原因", "schooling"),
            labour: marks.set("致贫原因", "labour"),
            work_months: bounds("R10", "months"),
            fit_ages: bounds("R15", "age"),
            compulsory_ages: bounds("R19", "age"),
            able_ages: bounds("R21", "age"),
            work_age_min: bound("R22", "work_age_min"),
            pension_age_min: bound("R22", "pension_age_min"),
            pension_age_min_women: bound("R22", "pension_age_min_women"),
            tolerance_fen: bound("R23", "tolerance_fen"),
            factor_max: bound("R25", "factor_max"),
            line_times_max: bound("R25", "line_times_max"),
            floor_m2: bounds("R27", "area_per_head_m2"),
            farmland_mu: bounds("R27", "farmland_per_head_mu"),
        }
    }
}
