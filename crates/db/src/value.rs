//! Values and rows as both engines know them.

use serde::{Deserialize, Serialize};

use crate::Error;

/// A column's type. Flags are `Int` 0 and 1, instants `Int` milliseconds, days `Text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// BIGINT
    Int,
    /// DOUBLE PRECISION
    Real,
    /// TEXT, compared as bytes
    Text,
    /// BYTEA
    Blob,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Not known.
    #[default]
    Null,
    /// An integer.
    Int(i64),
    /// A floating-point number; never money.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(i) = self { Some(*i) } else { None }
    }

    /// The number, if it is an integer or a float.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(x) => Some(*x),
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
            Self::Int(i) => Some(*i as f64),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(s) = self { Some(s) } else { None }
    }

    /// The bytes, if they are some.
    pub fn as_blob(&self) -> Option<&[u8]> {
        if let Self::Blob(b) = self { Some(b) } else { None }
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Real(x)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Int(i64::from(b))
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::Text(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::Text(s)
    }
}

impl From<Vec<u8>> for Value {
    fn from(b: Vec<u8>) -> Self {
        Self::Blob(b)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}

/// One row of a result, in the order of its columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The cell in column `i`; an error names the column if the row is shorter.
    pub fn value(&self, i: usize) -> Result<&Value, Error> {
        self.0.get(i).ok_or(Error::Column { index: i, wanted: "a value" })
    }

    /// A required integer.
    pub fn int(&self, i: usize) -> Result<i64, Error> {
        self.value(i)?.as_int().ok_or(Error::Column { index: i, wanted: "an integer" })
    }

    /// An integer that may be null.
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>, Error> {
        if self.value(i)?.is_null() { Ok(None) } else { self.int(i).map(Some) }
    }

    /// A required text.
    pub fn text(&self, i: usize) -> Result<&str, Error> {
        self.value(i)?.as_text().ok_or(Error::Column { index: i, wanted: "a text" })
    }

    /// A text that may be null.
    pub fn opt_text(&self, i: usize) -> Result<Option<&str>, Error> {
        if self.value(i)?.is_null() { Ok(None) } else { self.text(i).map(Some) }
    }

    /// A number that may be null.
    pub fn opt_real(&self, i: usize) -> Result<Option<f64>, Error> {
        let value = self.value(i)?;
        if value.is_null() {
            return Ok(None);
        }
        value.as_real().map(Some).ok_or(Error::Column { index: i, wanted: "a number" })
    }

    /// Required bytes.
    pub fn blob(&self, i: usize) -> Result<&[u8], Error> {
        self.value(i)?.as_blob().ok_or(Error::Column { index: i, wanted: "bytes" })
    }

    /// A flag stored as 0 or 1.
    pub fn flag(&self, i: usize) -> Result<bool, Error> {
        self.int(i).map(|n| n != 0)
    }
}
