//! What requests say of records of registers: fields by name, derived from the sheets.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    registers::{Register, layouts},
    sheet::{Sheet, change_of, new_of, text},
};

/// The body of each request: a whole new record, or columns of one without those of its key.
macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident $of:ident $layout:ident $($more:literal)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Deserialize)]
            #[serde(transparent)]
            pub(crate) struct $name(pub(in crate::registers::edit) Map<String, Json>);

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $of(layouts::$layout.sheet)$(.property($more, text()))?.into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*
    };
}

/// Columns without the key.
fn columns_of(sheet: &'static Sheet) -> utoipa::openapi::schema::ObjectBuilder {
    let key = Register::of(sheet).map_or(&[][..], |register| register.key);
    let names: Vec<&str> =
        key.iter().filter_map(|i| sheet.columns.get(*i)).map(|column| column.name).collect();
    change_of(sheet, &names)
}

bodies! {
    /// Who begins to help whom. `county` says which household is meant where several counties have its
    /// number.
    NewPairing new_of PAIRING "county";
    /// The last day of a pairing, and why it ended.
    ChangePairing columns_of PAIRING;
    /// A new organisation.
    NewOrganisation new_of ORGANISATION;
    /// What may be changed of an organisation.
    ChangeOrganisation columns_of ORGANISATION;
    /// Who begins to be in which village's team.
    NewTeamMember new_of TEAM;
    /// The last day in a team and why it ended, who leads it, and the village.
    ChangeTeamMember columns_of TEAM;
    /// What an area is to reach in a year.
    PutTarget columns_of TARGET;
    /// A figure with its unit and source.
    PutIndicator columns_of INDICATOR;
    /// A new cadre.
    NewCadre new_of CADRE;
    /// What may be changed of a cadre.
    ChangeCadre columns_of CADRE;
    /// What a village had in a year: what is absent is not known.
    PutVillageYear columns_of VILLAGE;
}
