//! What a household earned, as packs count it: which parts of income count, and what stands for costs that nobody booked.

use daohu_base::Day;
use daohu_census::Earned;
use daohu_policy::{BadPack, CostRatio, IncomePart, Item, Items, Policy};

use crate::{
    quality::Cells,
    sheet::{
        Column, INCOMES, Kind, household,
        income::{self, KINDS, OF_TRANSFERS},
    },
};

/// The columns of 年度收入 that net income may be worked out of.
pub(super) fn columns() -> Vec<usize> {
    let told = [income::YEAR, income::MEMBERS, income::BUSINESS_COST_FEN];
    [&told[..], &KINDS, &OF_TRANSFERS].concat()
}

/// By which rules of the packs incomes are counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct IncomeRules {
    parts: Items<IncomePart>,
    ratios: Items<CostRatio>,
    /// The names of industries, by code.
    products: Vec<(u8, String)>,
    /// True where all that is told counts, everywhere, and no costs are made up: as nearly everywhere.
    is_plain: bool,
}

/// The list of industries.
const PRODUCTS: &str = "产业类型";

impl IncomeRules {
    /// Those of a policy; refused if they name a part of income or an industry that there is not.
    pub(super) fn of(policy: &Policy) -> Result<Self, BadPack> {
        let (parts, ratios) = (policy.income_parts(), policy.cost_ratios());
        for own in parts.all() {
            if place_of(&own.id).is_none() {
                let known: Vec<&str> =
                    KINDS.iter().chain(&OF_TRANSFERS).filter_map(name_of).collect();
                return Err(unknown(own, &own.id, &known.join(", ")));
            }
        }
        let list = policy.list(PRODUCTS);
        let values = || list.into_iter().flat_map(|list| list.values());
        for own in ratios.all() {
            let is_known =
                own.product == CostRatio::ANY || values().any(|value| value.name == own.product);
            if !is_known {
                let known: Vec<&str> = values().map(|value| value.name.as_str()).collect();
                return Err(unknown(own, &own.product, &known.join("、")));
            }
        }
        let code = |text: &str| text.parse::<u8>().ok();
        let products = values().filter_map(|value| Some((code(&value.code)?, value.name.clone())));
        let is_plain = parts.all().iter().all(|own| own.counted || own.standing.open)
            && ratios.all().iter().all(|own| own.standing.open);
        Ok(Self {
            parts: parts.clone(),
            ratios: ratios.clone(),
            products: products.collect(),
            is_plain,
        })
    }

    /// True if incomes that were worked out by these are those that the others come to.
    pub(super) fn count_as(&self, other: &Self) -> bool {
        self.is_plain && other.is_plain || self == other
    }

    /// What a household of a village earned in a year.
    pub(super) fn earned(
        &self,
        village: &str,
        of_household: Cells<'_>,
        of_year: Cells<'_>,
    ) -> Earned {
        let mut earned = Earned {
            kinds_fen: KINDS.map(|kind| of_year.int(kind)),
            cost_fen: of_year.int(income::BUSINESS_COST_FEN),
            sharing: of_year.int(income::MEMBERS),
        };
        let year = of_year.int(income::YEAR).unwrap_or_default();
        // The year's rules are those of its last day.
        let Some(on) = Day::new(year, 12, 31).filter(|_| !self.is_plain) else { return earned };
        let counts = |column: usize| {
            let rule = name_of(&column).and_then(|name| self.parts.find(name, village, on));
            rule.is_none_or(|rule| rule.counted)
        };
        for (column, fen) in KINDS.into_iter().zip(&mut earned.kinds_fen) {
            if !counts(column) {
                *fen = None;
            }
        }
        if let [.., Some(transfers)] = &mut earned.kinds_fen {
            for part in OF_TRANSFERS.into_iter().filter(|part| !counts(*part)) {
                *transfers = transfers.saturating_sub(of_year.int(part).unwrap_or_default());
            }
        }
        let [_, business, ..] = earned.kinds_fen;
        if let (None, Some(business)) = (earned.cost_fen, business) {
            let ratio = self.ratio(village, on, of_household);
            earned.cost_fen = ratio.map(|ratio| ratio.cost_fen(business));
        }
        earned
    }

    /// What stands for the costs of a household: what is said of its industry, if it has one only, or else of all.
    fn ratio(&self, village: &str, on: Day, of_household: Cells<'_>) -> Option<&CostRatio> {
        let codes = of_household.text(household::INDUSTRIES).unwrap_or_default();
        // Several of them stand in a row.
        let only = codes.parse::<u8>().ok();
        let name = only.and_then(|only| self.products.iter().find(|(code, _)| *code == only));
        let own = name.and_then(|(_, name)| self.ratios.find(name, village, on));
        own.or_else(|| self.ratios.find(CostRatio::ANY, village, on))
    }
}

/// The name of a column of 年度收入 as packs write it: yuan, and the unit is not named.
pub(super) fn name_in_packs(column: &Column) -> Option<&'static str> {
    matches!(column.kind, Kind::Yuan).then(|| column.name.trim_end_matches("_fen"))
}

fn name_of(column: &usize) -> Option<&'static str> {
    INCOMES.columns.get(*column).and_then(name_in_packs)
}

fn place_of(name: &str) -> Option<usize> {
    KINDS.into_iter().chain(OF_TRANSFERS).find(|column| name_of(column) == Some(name))
}

fn unknown(item: &impl Item, id: &str, known: &str) -> BadPack {
    let standing = item.standing();
    BadPack::at(
        &standing.file,
        standing.line,
        &format!("没有 {id}，有：{known}"),
        &format!("there is no {id}; there are: {known}"),
    )
}
