//! 人: the columns of persons.

use super::column;
use crate::sheet::{Kind::*, Secret, Sheet};

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
