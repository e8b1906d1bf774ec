//! Values on the wire.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type as PgType};

use crate::{Error, Value};

/// What the cells of a column are on the wire: asked once for a query, not for each cell.
#[derive(Clone, Copy)]
pub(super) enum Wire {
    Int,
    Text,
    /// Read as the driver reads it.
    Other,
}

impl Wire {
    pub(super) fn of(kind: &PgType) -> Self {
        match *kind {
            PgType::INT8 => Self::Int,
            PgType::TEXT => Self::Text,
            _ => Self::Other,
        }
    }

    /// A cell of a row.
    pub(super) fn read(self, row: &tokio_postgres::Row, index: usize) -> Result<Value, Error> {
        if matches!(self, Self::Other) {
            return Ok(row.try_get(index)?);
        }
        let Cell(cell) = row.try_get(index)?;
        let Some(cell) = cell else { return Ok(Value::Null) };
        let read = match self {
            Self::Int => cell.try_into().ok().map(|bytes| i64::from_be_bytes(bytes).into()),
            _ => std::str::from_utf8(cell).ok().map(Value::from),
        };
        read.ok_or_else(|| Error::Column { index, wanted: "a value of the column's type" })
    }
}

/// A cell as it came, of whatever type; none of null.
struct Cell<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(_: &PgType, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &PgType) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &PgType) -> bool {
        true
    }
}

/// The types of [`ToSql`] below, and the padded text of the server's own tables.
impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &PgType, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *ty {
            PgType::INT8 => i64::from_sql(ty, raw)?.into(),
            PgType::INT4 => i64::from(i32::from_sql(ty, raw)?).into(),
            PgType::FLOAT8 => f64::from_sql(ty, raw)?.into(),
            PgType::BYTEA => raw.to_vec().into(),
            // What is left of the accepted types is text.
            _ => std::str::from_utf8(raw)?.into(),
        })
    }

    fn from_sql_null(_ty: &PgType) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &PgType) -> bool {
        <Self as ToSql>::accepts(ty) || *ty == PgType::BPCHAR
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &PgType,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(i), &PgType::INT4) => i32::try_from(*i)?.to_sql(ty, out),
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
            (Self::Int(i), &PgType::FLOAT8) => (*i as f64).to_sql(ty, out),
            (Self::Int(i), _) => i.to_sql(ty, out),
            (Self::Real(x), _) => x.to_sql(ty, out),
            (Self::Text(s), _) => s.to_sql(ty, out),
            (Self::Blob(b), _) => b.to_sql(ty, out),
        }
    }

    fn accepts(ty: &PgType) -> bool {
        matches!(
            *ty,
            PgType::INT8
                | PgType::INT4
                | PgType::FLOAT8
                | PgType::TEXT
                | PgType::VARCHAR
                | PgType::NAME
                | PgType::BYTEA
        )
    }

    fn encode_format(&self, _ty: &PgType) -> Format {
        Format::Binary
    }

    tokio_postgres::types::to_sql_checked!();
}
