//! Records as the API shows them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    registers::layouts,
    sheet::{Record, framed, integer_if_any, object},
};

/// The view of each register, with what its table may have in front beside the county.
macro_rules! views {
    ($($(#[$doc:meta])* $name:ident $layout:ident $($lead:literal)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Serialize)]
            pub(crate) struct $name(Map<String, Json>);

            impl From<&Record> for $name {
                fn from(record: &Record) -> Self {
                    Self(object(&layouts::$layout, record))
                }
            }

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    framed(layouts::$layout.sheet)$(.property($lead, integer_if_any()))?.into()
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

views! {
    /// An organisation that helps.
    OrganisationView ORGANISATION;
    /// A cadre, the telephone number masked.
    CadreView CADRE;
    /// What a village had in one year.
    VillageYearView VILLAGE;
    /// A cadre's time in a village's team.
    TeamMemberView TEAM;
    /// Who helps whom; `household` is the id of the household that is helped, null where an area is.
    PairingView PAIRING "household";
    /// What an area is to reach in a year.
    TargetView TARGET;
    /// A figure of an area's statistics.
    IndicatorView INDICATOR;
}
