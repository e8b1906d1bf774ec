//! The figures of a run: their bars, the table, the JSON, and what has become worse.

use std::fmt::Write;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::statistics::{median, spread};

/// Worse by more than this share of the earlier figure is told.
const WORSE_SHARE: f64 = 0.10;

/// Which way a figure should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    Less,
    More,
    /// It is about a yardstick or about the data.
    Neither,
}

/// Something that was measured.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    better: Better,
    spread: Option<(f64, f64)>,
    bar: Option<f64>,
}

impl Figure {
    pub(super) fn new(name: &str, value: f64, unit: &'static str, better: Better) -> Self {
        Self { name: name.to_owned(), value, unit, better, spread: None, bar: None }
    }

    /// The median of several values, with the least and the greatest.
    pub(super) fn of(
        name: &str,
        values: &[f64],
        unit: &'static str,
        better: Better,
    ) -> anyhow::Result<Self> {
        let value = median(values).with_context(|| format!("{name}: nothing was measured"))?;
        let spread = spread(values).filter(|_| values.len() > 1);
        Ok(Self { spread, ..Self::new(name, value, unit, better) })
    }

    /// What it must at most, or at least, be.
    pub(super) fn bar(self, bar: f64) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// None without a bar.
    fn is_met(&self) -> Option<bool> {
        let bar = self.bar?;
        match self.better {
            Better::Less => Some(self.value <= bar),
            Better::More => Some(self.value >= bar),
            Better::Neither => None,
        }
    }

    /// By which share it is worse than before; negative if it is better.
    fn worse_by(&self, before: f64) -> f64 {
        let grown = (self.value - before) / before;
        match self.better {
            Better::Less => grown,
            Better::More => -grown,
            Better::Neither => 0.0,
        }
    }

    fn sign(&self) -> &'static str {
        if self.better == Better::More { "≥" } else { "≤" }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "better": match self.better {
                Better::Less => Some("less"),
                Better::More => Some("more"),
                Better::Neither => None,
            },
            "min": self.spread.map(|(min, _)| min),
            "max": self.spread.map(|(_, max)| max),
            "bar": self.bar,
            "met": self.is_met(),
        })
    }
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(super) struct Figures {
    section: String,
    all: Vec<Figure>,
    notes: Vec<String>,
}

impl Figures {
    /// Names of the figures that follow begin so.
    pub(super) fn begin(&mut self, section: &str) {
        section.clone_into(&mut self.section);
    }

    pub(super) fn add(&mut self, figure: Figure) {
        let figure = Figure { name: format!("{}.{}", self.section, figure.name), ..figure };
        eprintln!("  {} {} {}", figure.name, shown(figure.value), figure.unit);
        self.all.push(figure);
    }

    /// What a reader must know about the figures; said once.
    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A figure of this run by its whole name.
    pub(super) fn value(&self, name: &str) -> Option<f64> {
        self.all.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// The names of the figures that miss their bar.
    pub(super) fn missed(&self) -> Vec<&str> {
        let missed = self.all.iter().filter(|figure| figure.is_met() == Some(false));
        missed.map(|figure| figure.name.as_str()).collect()
    }

    pub(super) fn table(&self) -> String {
        let mut lines = vec![["figure", "value", "", "min – max", "bar", ""].map(str::to_owned)];
        lines.extend(self.all.iter().map(|figure| {
            let spread = figure.spread.map(|(a, b)| format!("{} – {}", shown(a), shown(b)));
            let bar = figure.bar.map(|bar| format!("{} {}", figure.sign(), shown(bar)));
            let verdict = match figure.is_met() {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            [
                figure.name.clone(),
                shown(figure.value),
                figure.unit.to_owned(),
                spread.unwrap_or_default(),
                bar.unwrap_or_default(),
                verdict.to_owned(),
            ]
        }));
        let mut table = aligned(&lines);
        for note in &self.notes {
            // Writing to a string cannot fail.
            let _ = write!(table, "\n{note}\n");
        }
        table
    }

    /// The run as it is kept; `settings` say what was measured.
    pub(super) fn json(&self, settings: &Value) -> Value {
        let figures: Vec<Value> = self.all.iter().map(Figure::json).collect();
        json!({ "settings": settings, "figures": figures, "notes": self.notes })
    }

    /// What is more than a tenth worse than in the earlier run, a sentence each.
    pub(super) fn worse_than(&self, baseline: &Baseline) -> Vec<String> {
        let with = self.all.iter().filter_map(|figure| {
            let before = baseline.value(&figure.name)?;
            let worse = figure.worse_by(before);
            (worse > WORSE_SHARE).then(|| {
                let (name, unit, percent) = (&figure.name, figure.unit, worse * 100.0);
                let (before, now) = (shown(before), shown(figure.value));
                format!("{name}: {before} {unit} before, {now} {unit} now: {percent:.0} % worse")
            })
        });
        with.collect()
    }
}

/// An earlier run.
#[derive(Debug)]
pub(super) struct Baseline(Value);

impl Baseline {
    /// Reads what [`Figures::json`] gave; refuses a run with other settings.
    pub(super) fn read(text: &[u8], settings: &Value) -> anyhow::Result<Self> {
        let run: Value = serde_json::from_slice(text)?;
        ensure!(run.get("figures").is_some_and(Value::is_array), "it has no figures");
        let before = run.get("settings").unwrap_or(&Value::Null);
        ensure!(before == settings, "it was measured with {before}, this run with {settings}");
        Ok(Self(run))
    }

    fn value(&self, name: &str) -> Option<f64> {
        let figures = self.0.get("figures")?.as_array()?;
        let named = |figure: &&Value| figure.get("name").and_then(Value::as_str) == Some(name);
        figures.iter().find(named)?.get("value")?.as_f64()
    }
}

/// Three digits that matter; thousands apart.
fn shown(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if digits > 0 {
        return text;
    }
    let mut apart = String::new();
    for (at, digit) in text.char_indices() {
        if at > 0 && (text.len() - at) % 3 == 0 && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// Columns side by side: the first to the left, figures to the right.
fn aligned<const N: usize>(lines: &[[String; N]]) -> String {
    const LEFT: [usize; 3] = [0, 2, 5];
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut table = String::new();
    for line in lines {
        let mut text = String::new();
        for (at, (cell, width)) in line.iter().zip(widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            let (before, after) = if LEFT.contains(&at) { ("", &*gap) } else { (&*gap, "") };
            // Writing to a string cannot fail.
            let _ = write!(text, "{before}{cell}{after}  ");
        }
        table.push_str(text.trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(values: &[(&str, f64, Better)]) -> Figures {
        let mut figures = Figures::default();
        figures.begin("sqlite");
        for (name, value, better) in values {
            figures.add(Figure::new(name, *value, "×", *better));
        }
        figures
    }

    fn baseline(figures: &Figures) -> Baseline {
        let settings = json!({ "households": 3 });
        Baseline::read(figures.json(&settings).to_string().as_bytes(), &settings).unwrap()
    }

    #[test]
    fn what_is_more_than_a_tenth_worse_is_named() {
        use Better::{Less, More, Neither};
        let before = baseline(&figures(&[
            ("ratio", 2.0, Less),
            ("steady", 2.0, Less),
            ("faster", 2.0, Less),
            ("rate", 100.0, More),
            ("yardstick", 1.0, Neither),
        ]));
        let now = figures(&[
            ("ratio", 2.3, Less),
            ("steady", 2.19, Less),
            ("faster", 1.0, Less),
            ("rate", 80.0, More),
            ("yardstick", 5.0, Neither),
            ("new", 5.0, Less),
        ]);
        let says = [
            "sqlite.ratio: 2.00 × before, 2.30 × now: 15 % worse",
            "sqlite.rate: 100 × before, 80.0 × now: 20 % worse",
        ];
        assert_eq!(now.worse_than(&before), says);
    }

    #[test]
    fn a_run_is_compared_only_with_its_like() {
        let kept = figures(&[]).json(&json!({ "households": 3 })).to_string();
        assert!(Baseline::read(kept.as_bytes(), &json!({ "households": 4 })).is_err());
        assert!(Baseline::read(b"{}", &Value::Null).is_err());
        assert!(Baseline::read(b"", &Value::Null).is_err());
    }

    #[test]
    fn bars_are_met_or_missed() {
        let mut figures = figures(&[]);
        figures.add(Figure::new("a", 3.0, "×", Better::Less).bar(3.0));
        figures.add(Figure::new("b", 3.1, "×", Better::Less).bar(3.0));
        figures.add(Figure::new("c", 0.7, "×", Better::More).bar(0.7));
        figures.add(Figure::new("d", 0.6, "×", Better::More).bar(0.7));
        figures.add(Figure::new("e", 9.0, "×", Better::Less));
        assert_eq!(figures.missed(), ["sqlite.b", "sqlite.d"]);
        let table = figures.table();
        assert!(table.contains("sqlite.b   3.10  ×              ≤ 3.00  MISSED\n"), "{table}");
    }

    #[test]
    fn figures_are_short() {
        let all = [0.01234, 1.005, 12.34, 123.4, 1234.5, 1_234_567.0, -1234.0].map(shown);
        assert_eq!(all, ["0.012", "1.00", "12.3", "123", "1,234", "1,234,567", "-1,234"]);
    }
}
