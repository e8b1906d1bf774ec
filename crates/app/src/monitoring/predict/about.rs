//! What the model card says in words of these predictions. Pure.

use daohu_census::predict::About;
use daohu_policy::Prospect;

/// The name of a question, as programs are told.
pub(super) fn id(prospect: Prospect) -> &'static str {
    match prospect {
        Prospect::AboveLine => "above_line",
        Prospect::BelowAgain => "below_again",
    }
}

/// What is predicted, in Chinese and in English.
pub(super) fn meaning(prospect: Prospect) -> [String; 2] {
    let texts = match prospect {
        Prospect::AboveLine => [
            "次年人均纯收入达到或高于当年贫困线的概率。只看收入：住房、饮水、教育、医疗等保障在登记中尚无逐年历史，无从预测，“达到贫困线”不等于“各项保障均达标”。",
            "How likely net income a head is at or above the line of the next year. Income alone: the other guarantees (housing, water, schooling, health …) have no \
             dated history in the registry yet and cannot be predicted; “above the line” does not mean “all guarantees met”.",
        ],
        Prospect::BelowAgain => [
            "年末前已脱贫的户，次年人均纯收入低于当年贫困线（返贫）的概率。只看收入：住房、饮水、教育、医疗等保障在登记中尚无逐年历史，因这些原因返贫的不在其内。",
            "Of households that exited by the end of the year: how likely net income a head is below the line of the next year (relapse). Income alone: the other guarantees \
             (housing, water, schooling, health …) have no dated history in the registry yet, and relapse for want of them is not in it.",
        ],
    };
    texts.map(str::to_owned)
}

/// What the data are, for the card.
pub(super) struct Data<'d> {
    /// Code and name of the area.
    pub(super) area: &'d str,
    /// The last year that is known.
    pub(super) year: i64,
    pub(super) households: usize,
    /// Rows that are asked about.
    pub(super) rows: usize,
    pub(super) policy: &'d str,
    /// What the operator says of the data.
    pub(super) note: Option<&'d str>,
}

const LIMITS: [&str; 2] = [
    "只用有日期的事实：截至年末的各年收入、有日期的成员变动、出生日期、识别年度与脱贫年度。登记只保存现状的条件（住房、饮水、教育、健康、劳动能力、脱贫状态、致贫原因等）会把未来带入过去，一律不用，因而也错过其中真实的信息。\
     户主与所在村按现状；没有日期的成员变动不计；识别年度与脱贫年度只存最近一次，多次进出者的早年因此失真。只含今天仍在册的户：已销户、已迁出本区域的不在内。年末尚未建档立卡的户不在当年之列。",
    "Dated facts alone: incomes of years up to the year, dated changes of members, birth dates, the years of registration and exit. Conditions that the registry keeps only as of now \
     (housing, water, schooling, health, ability to work, standing, cause of poverty …) would tell the past of its future and are left out, and with them what they truly tell. \
     Who is head and in which village a household lies are as of now; a member's change without a date is not heeded; of registration and exit only the last year is kept, so that the early years of who went \
     in and out several times are wrong. Only households that are on record today are in it: those that ended or moved out of the area are missing. A household that was not yet registered at the end of a \
     year is not among that year's.",
];

const CONTEST: [&str; 2] = [
    "每户可要求说明：`daohu predict --household 户编号` 逐项列出使概率升高或降低的事实及其数值，各项之和即为结果。认为事实有误的，由帮扶责任人或村核实并更正登记后重新预测；不同意以预测为依据的，可要求只由人按程序判定。",
    "A household may ask why: `daohu predict --household NO` lists each fact, its value, and by how much it raised or lowered the probability; together they are the result. Where a fact is wrong, the household's \
     cadre or the village checks and corrects the record, and it is predicted anew. Who does not want a prediction to be looked at may ask that people alone decide, by the procedure.",
];

pub(super) fn about(prospect: Prospect, data: &Data<'_>) -> About {
    let Data { area, year, households, rows, policy, note } = *data;
    let title = match prospect {
        Prospect::AboveLine => {
            "模型卡：次年收入达到贫困线 · Model card: income at or above the line next year"
        }
        Prospect::BelowAgain => {
            "模型卡：已脱贫户返贫风险 · Model card: relapse of those who exited"
        }
    };
    let [zh, en] = meaning(prospect);
    let told = note.map_or_else(String::new, |note| format!("\n\n{note}"));
    About {
        title: [title.to_owned(), format!("{zh}\n\n{en}")],
        data: [
            format!(
                "{area}，截至 {year} 年末；{households} 户，可问的户年 {rows} 个；政策包 {policy}。{told}"
            ),
            format!(
                "{area}, up to the end of {year}; {households} households, {rows} years of theirs that could be asked about; policy packs {policy}."
            ),
        ],
        limits: LIMITS.map(str::to_owned),
        contest: CONTEST.map(str::to_owned),
    }
}
