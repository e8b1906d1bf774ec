//! The units of a county: what they are called and where they belong.

use super::offices::{Kind, office};
use super::staff::Staff;
use super::tree::Tree;

/// 单位级别 of helping units, with the digits of the area that they belong to. Those of the state
/// have none in the county's tree.
const LEVELS: [(&str, usize); 4] = [("国家", 0), ("省", 2), ("市", 4), ("县", 6)];

/// The offices of a township, in the order in which [`Staff::government`] counts them.
const TOWN_OFFICES: [(&str, Kind); 2] =
    [("人民政府", Kind::Government), ("农业服务中心", Kind::Institution)];

/// A unit, in its place among the county's.
pub(super) struct Organisation<'a> {
    pub(super) name: String,
    /// 单位级别.
    pub(super) level: &'static str,
    pub(super) kind: Kind,
    /// 所在区划代码.
    pub(super) area: Option<&'a str>,
}

/// The helping units by level, then the offices of the townships.
pub(super) fn organisations<'a>(tree: &Tree<'a>, staff: &Staff<'a>) -> Vec<Organisation<'a>> {
    let mut organisations = Vec::new();
    for (place, ((level, digits), count)) in LEVELS.into_iter().zip(staff.units).enumerate() {
        let area = staff.county.get(..digits).and_then(|code| tree.find(code));
        let of = area.map_or("", |area| area.name.as_str());
        for index in 0..usize::try_from(count).unwrap_or(0) {
            let (office, number) = office(place, index);
            let number = number.map(|number| format!("第{number}")).unwrap_or_default();
            let name = format!("{of}{number}{}", office.name);
            let area = area.map(|area| area.code.as_str());
            organisations.push(Organisation { name, level, kind: office.kind, area });
        }
    }
    for town in &staff.towns {
        for (name, kind) in TOWN_OFFICES {
            let name = format!("{}{name}", town.area.name);
            let area = Some(town.area.code.as_str());
            organisations.push(Organisation { name, level: "乡", kind, area });
        }
    }
    organisations
}
