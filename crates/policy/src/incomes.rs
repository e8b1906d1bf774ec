//! What counts as a household's income, and what stands for costs that nobody booked.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use daohu_base::Day;

use crate::{
    BadPack,
    items::{Days, FileOf, Item, Standing},
};

/// Whether a part of income counts.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomePart {
    /// The column of 年度收入, without its unit: `pension` …
    pub id: String,
    /// False of what is told and left out of net income.
    pub counted: bool,
    /// Where and when.
    pub standing: Standing,
}

/// What share of what a household's business brings in are its costs, where it books none.
#[derive(Clone, Debug, PartialEq)]
pub struct CostRatio {
    /// The name of an industry (产业类型), of a household that has no other; or [`CostRatio::ANY`].
    pub product: String,
    /// In ten-thousandths.
    pub ratio_bp: i64,
    /// Where and when.
    pub standing: Standing,
}

/// A part of income as a file has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenPart {
    #[schemars(with = "String")]
    id: Spanned<String>,
    counted: bool,
    year: Option<i64>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    since: Option<Day>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    until: Option<Day>,
    #[serde(default)]
    open: bool,
    source: String,
}

/// A ratio as a file has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenRatio {
    #[schemars(with = "String")]
    product: Spanned<String>,
    /// 0 to 1, four decimals at most.
    #[schemars(range(min = 0, max = 1))]
    ratio: f64,
    year: Option<i64>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    since: Option<Day>,
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    until: Option<Day>,
    #[serde(default)]
    open: bool,
    source: String,
}

impl Item for IncomePart {
    fn id(&self) -> &str {
        &self.id
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl Item for CostRatio {
    fn id(&self) -> &str {
        &self.product
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl WrittenPart {
    pub(crate) fn of_file(self, file: FileOf<'_>) -> Result<IncomePart, BadPack> {
        let days = Days { year: self.year, since: self.since, until: self.until };
        let standing = file.standing(self.id.span().start, days, (self.source, self.open))?;
        Ok(IncomePart { id: self.id.into_inner(), counted: self.counted, standing })
    }
}

impl CostRatio {
    /// Stands for every industry.
    pub const ANY: &str = "any";
    /// The whole.
    pub const WHOLE_BP: i64 = 10_000;

    /// The costs of what came in, in fen, halves away from zero.
    pub fn cost_fen(&self, business_fen: i64) -> i64 {
        let whole = i128::from(Self::WHOLE_BP);
        let product = i128::from(business_fen) * i128::from(self.ratio_bp);
        let size = (2 * product.abs() + whole) / (2 * whole);
        // No more than what came in.
        i64::try_from(size * product.signum()).unwrap_or(business_fen)
    }
}

impl WrittenRatio {
    pub(crate) fn of_file(self, file: FileOf<'_>) -> Result<CostRatio, BadPack> {
        #[expect(clippy::cast_precision_loss, reason = "ten thousand")]
        let scaled = self.ratio * CostRatio::WHOLE_BP as f64;
        #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
        let ratio_bp = scaled.round() as i64;
        #[expect(clippy::cast_precision_loss, reason = "ten thousand at most, or refused")]
        let is_exact = (ratio_bp as f64 - scaled).abs() < 1e-6;
        let start = self.product.span().start;
        if !is_exact || !(0..=CostRatio::WHOLE_BP).contains(&ratio_bp) {
            return Err(file.bad(
                file.line(start),
                "ratio 应在 0 与 1 之间，最多四位小数",
                "a ratio lies between 0 and 1 and has four decimals at most",
            ));
        }
        let days = Days { year: self.year, since: self.since, until: self.until };
        let standing = file.standing(start, days, (self.source, self.open))?;
        Ok(CostRatio { product: self.product.into_inner(), ratio_bp, standing })
    }
}

#[cfg(test)]
mod tests {
    use daohu_base::Day;

    use crate::Policy;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn an_area_says_what_counts_there_and_since_when() {
        let own = "area = '5323'\n[[income_part]]\nid = 'pension'\ncounted = false\nyear = 2016\n\
                   source = ''\n[[cost_ratio]]\nproduct = 'any'\nratio = 0.125\nsource = ''\n";
        let policy = Policy::embedded_and([("own.toml", own)]).unwrap();
        let counts = |area: &str, on: &str| {
            policy.income_parts().find("pension", area, day(on)).unwrap().counted
        };
        assert!(!counts("532301", "2016-12-31"));
        assert!(counts("532301", "2017-12-31") && counts("522301", "2016-12-31"));
        let ratio = |area: &str| policy.cost_ratios().find("any", area, day("2016-12-31"));
        assert!(ratio("522301").is_none(), "no national ratio holds");
        let ratio = ratio("532301").unwrap();
        let cost = |fen: i64| ratio.cost_fen(fen);
        // Halves away from zero.
        assert_eq!([cost(800), cost(4), cost(3), cost(-4), cost(0)], [100, 1, 0, -1, 0]);
        assert_eq!(cost(i64::MAX), 1_152_921_504_606_846_976);
    }

    #[test]
    fn a_ratio_that_cannot_be_is_refused() {
        for ratio in ["1.01", "-0.1", "0.33333", "nan", "1e300"] {
            let own = format!("[[cost_ratio]]\nproduct = 'any'\nratio = {ratio}\nsource = ''\n");
            let error = Policy::embedded_and([("own.toml", own.as_str())]).unwrap_err();
            assert!(error.reason.contains("between 0 and 1"), "{ratio}: {error}");
        }
    }

    #[test]
    fn what_counts_twice_on_a_day_is_refused() {
        let own = "[[income_part]]\nid = 'gift'\ncounted = false\nsource = ''\n".repeat(2);
        assert!(Policy::embedded_and([("own.toml", own.as_str())]).is_err());
    }
}
