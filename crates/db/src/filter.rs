//! The one place where SQL text is put together at run time.

use std::fmt::Write;

use crate::Value;

/// Values asked for by one of [`Filter::lists`].
const IN_LIST: usize = 200;

/// Conditions of a `where` clause with their parameters, numbered from `$1`.
///
/// Only text known at compile time becomes SQL; what users send is always a parameter.
#[derive(Debug, Default)]
pub struct Filter {
    sql: String,
    params: Vec<Value>,
}

impl Filter {
    /// No condition yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `condition`, in which each `?` stands for the next of `params`.
    pub fn and(&mut self, condition: &'static str, params: impl IntoIterator<Item = Value>) {
        self.begin();
        self.push(condition, params);
    }

    /// Adds `(condition or condition …)`, once for each list of parameters; an empty list of
    /// alternatives is false: who may see nothing is shown nothing.
    pub fn and_any<P>(&mut self, condition: &'static str, alternatives: impl IntoIterator<Item = P>)
    where
        P: IntoIterator<Item = Value>,
    {
        self.begin();
        let mut first = true;
        for params in alternatives {
            self.sql.push_str(if first { "(" } else { " or " });
            first = false;
            self.push(condition, params);
        }
        self.sql.push_str(if first { "1 = 0" } else { ")" });
    }

    /// Adds `column in (…)`; an empty list is false. Null is a value like others: it stands for the
    /// rows where the column is not known.
    pub fn and_in(&mut self, column: &'static str, values: impl IntoIterator<Item = Value>) {
        self.begin();
        let (nulls, values): (Vec<Value>, Vec<Value>) =
            values.into_iter().partition(Value::is_null);
        let known =
            values.into_iter().map(|value| self.param(value)).collect::<Vec<_>>().join(", ");
        // Writing to a String cannot fail.
        let _ = match (known.as_str(), nulls.is_empty()) {
            ("", true) => write!(self.sql, "1 = 0"),
            ("", false) => write!(self.sql, "{column} is null"),
            (known, true) => write!(self.sql, "{column} in ({known})"),
            (known, false) => write!(self.sql, "({column} is null or {column} in ({known}))"),
        };
    }

    /// Filters that ask between them for all of these values of a column: of a fixed number each, so that they share
    /// a statement, which is prepared once. No value, no filter.
    pub fn lists(column: &'static str, values: impl IntoIterator<Item = Value>) -> Vec<Self> {
        let values: Vec<Value> = values.into_iter().collect();
        let list = |some: &[Value]| {
            let last = some.last().into_iter().cycle();
            let mut filter = Self::new();
            filter.and_in(column, some.iter().chain(last).take(IN_LIST).cloned());
            filter
        };
        values.chunks(IN_LIST).map(list).collect()
    }

    /// Adds `(column = … and …) or (…)`, an alternative for each row of values, which each go by an index; no row
    /// is false.
    pub fn and_rows(
        &mut self,
        columns: &[&'static str],
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) {
        self.begin();
        let mut alternatives = Vec::new();
        for row in rows {
            let pairs = columns.iter().zip(row);
            let equal =
                |(column, value): (&&str, Value)| format!("{column} = {}", self.param(value));
            alternatives.push(format!("({})", pairs.map(equal).collect::<Vec<_>>().join(" and ")));
        }
        if alternatives.is_empty() {
            alternatives.push("1 = 0".to_owned());
        }
        // Writing to a String cannot fail.
        let _ = write!(self.sql, "({})", alternatives.join(" or "));
    }

    /// Adds that one of these words stands in a column of words joined by spaces; null is where the column is
    /// not known, and no word at all is false.
    pub fn and_one_of(&mut self, column: &'static str, words: impl IntoIterator<Item = Value>) {
        self.begin();
        let of = |word: Value| match word {
            Value::Null => format!("{column} is null"),
            Value::Text(word) => {
                let word = self.param(format!("% {word} %"));
                format!("' ' || {column} || ' ' like {word}")
            }
            _ => "1 = 0".to_owned(),
        };
        let any = words.into_iter().map(of).collect::<Vec<_>>().join(" or ");
        // Writing to a String cannot fail.
        let _ = match any.as_str() {
            "" => write!(self.sql, "1 = 0"),
            any => write!(self.sql, "({any})"),
        };
    }

    /// Adds `(columns) <comparison> (values)`: where a page goes on. The columns are constants, joined by
    /// commas.
    pub fn and_row(
        &mut self,
        columns: &str,
        comparison: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) {
        self.begin();
        let values: Vec<String> = values.into_iter().map(|value| self.param(value)).collect();
        // Writing to a String cannot fail.
        let _ = write!(self.sql, "({columns}) {comparison} ({})", values.join(", "));
    }

    /// A parameter outside the conditions, such as a limit: returns its placeholder.
    pub fn param(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// The clause ` where …`, or nothing.
    pub fn clause(&self) -> &str {
        &self.sql
    }

    /// The parameters, in order.
    pub fn params(&self) -> &[Value] {
        &self.params
    }

    fn begin(&mut self) {
        self.sql.push_str(if self.sql.is_empty() { " where " } else { " and " });
    }

    fn push(&mut self, condition: &'static str, params: impl IntoIterator<Item = Value>) {
        let mut params = params.into_iter();
        for (i, part) in condition.split('?').enumerate() {
            if i > 0 {
                self.params.push(params.next().unwrap_or_default());
                // Writing to a String cannot fail.
                let _ = write!(self.sql, "${}", self.params.len());
            }
            self.sql.push_str(part);
        }
    }
}

/// The end of the half-open range of texts that begin with `prefix`: on both engines texts are
/// ordered by bytes, and nobody writes the last character of Unicode.
pub fn prefix_end(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_of_one_length_and_hold_each_value() {
        let count = i64::try_from(IN_LIST).unwrap() + 1;
        let lists = Filter::lists("a", (0..count).map(Value::Int));
        let [first, second] = &*lists else { panic!("{} lists", lists.len()) };
        assert_eq!(first.clause(), second.clause());
        assert!(first.params().iter().cloned().eq((0..count - 1).map(Value::Int)));
        assert!(second.params().iter().all(|value| *value == Value::Int(count - 1)));
        assert_eq!(second.params().len(), IN_LIST);
        assert!(Filter::lists("a", []).is_empty());
    }

    #[test]
    fn conditions_are_numbered_and_nothing_is_false() {
        let mut filter = Filter::new();
        assert_eq!(filter.clause(), "");
        filter.and("a = ?", [Value::Int(1)]);
        filter
            .and_any("(b >= ? and b < ?)", [[Value::Int(2), Value::Int(3)], [4.into(), 5.into()]]);
        filter.and_any("c = ?", Vec::<[Value; 1]>::new());
        let limit = filter.param(10);
        let mut list = Filter::new();
        list.and_in("a", [Value::Int(1), Value::Int(2)]);
        list.and_in("b", []);
        list.and_in("c", [Value::Null]);
        list.and_in("d", [Value::Int(3), Value::Null]);
        assert_eq!(
            list.clause(),
            " where a in ($1, $2) and 1 = 0 and c is null and (d is null or d in ($3))"
        );
        assert_eq!(list.params().len(), 3);
        assert_eq!(
            filter.clause(),
            " where a = $1 and ((b >= $2 and b < $3) or (b >= $4 and b < $5)) and 1 = 0"
        );
        assert_eq!((limit.as_str(), filter.params().len()), ("$6", 6));
    }
}
