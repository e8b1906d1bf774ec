//! By what figures of poverty are told.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::BadPack;

/// What indices are made of.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Indices {
    /// The guarantees that a household may lack, with their weights (Alkire–Foster).
    pub dimensions: Vec<DimensionWeight>,
    /// Weights of what a household lacks from which on it counts as poor in many ways.
    pub cutoff: u64,
    /// Incomes a head between which households are counted, in yuan, ascending.
    pub income_bands_yuan: Vec<i64>,
    /// Where they come from.
    pub source: String,
}

/// How much a guarantee weighs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DimensionWeight {
    /// The guarantee's id.
    pub guarantee: String,
    /// Beside the others'.
    pub weight: u32,
}

impl Indices {
    /// Refuses what nothing can be counted by.
    pub(crate) fn check(&self, file: &str) -> Result<(), BadPack> {
        let sum: u64 = self.dimensions.iter().map(|own| u64::from(own.weight)).sum();
        let bad = |zh: &str, en: &str| {
            Err(BadPack { file: file.to_owned(), reason: format!("[indices] {zh} | {en}") })
        };
        if self.dimensions.iter().any(|own| own.weight == 0) {
            return bad("weight 至少为 1", "a weight is 1 at least");
        }
        if self.cutoff == 0 || self.cutoff > sum {
            return bad(
                "cutoff 应在 1 与权重之和之间",
                "cutoff lies between 1 and the sum of the weights",
            );
        }
        if !self.income_bands_yuan.is_sorted_by(|one, next| one < next) {
            return bad("income_bands_yuan 应由小到大", "income_bands_yuan ascend");
        }
        Ok(())
    }
}
