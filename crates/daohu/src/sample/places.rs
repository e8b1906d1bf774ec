//! Made-up locations inside roughly the right region. No surveyed shape is involved: a county has
//! a box, townships and villages are points in it, and households lie around their village.

use super::dice::Dice;

/// A point in hundred-thousandths of a degree (about a metre), WGS-84.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) east: i32,
    pub(super) north: i32,
}

/// A box of longitudes and latitudes, in hundred-thousandths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) west: i32,
    pub(super) east: i32,
    pub(super) south: i32,
    pub(super) north: i32,
}

/// Township centres keep this far from the edge of the county, in per cent of its size.
const MARGIN_PERCENT: i32 = 8;

impl Bounds {
    /// From tenths of a degree: west, east, south, north.
    const fn tenths(west: i32, east: i32, south: i32, north: i32) -> Self {
        Self {
            west: west * 10_000,
            east: east * 10_000,
            south: south * 10_000,
            north: north * 10_000,
        }
    }

    /// One cell of a grid with `count` or a few more cells over the box, with a gap around it.
    fn cell(self, index: i32, count: i32) -> Self {
        let mut columns = 1;
        while columns * columns < count {
            columns += 1;
        }
        let wide = (self.east - self.west) / columns;
        let high = (self.north - self.south) / columns;
        let west = self.west + wide * (index % columns) + wide / 20;
        let south = self.south + high * (index / columns) + high / 20;
        Self { west, east: west + wide * 9 / 10, south, north: south + high * 9 / 10 }
    }

    /// A point somewhere inside, not close to the edge.
    pub(super) fn inside(self, dice: &mut Dice) -> Point {
        let wide = (self.east - self.west) * MARGIN_PERCENT / 100;
        let high = (self.north - self.south) * MARGIN_PERCENT / 100;
        Point {
            east: dice.between(self.west + wide, self.east - wide),
            north: dice.between(self.south + high, self.north - high),
        }
    }

    /// A point at most `reach` away in each direction, more often near than far, and inside.
    pub(super) fn near(self, centre: Point, reach: i32, dice: &mut Dice) -> Point {
        let mut offset = || (dice.between(-reach, reach) + dice.between(-reach, reach)) / 2;
        Point {
            east: (centre.east + offset()).clamp(self.west, self.east),
            north: (centre.north + offset()).clamp(self.south, self.north),
        }
    }
}

/// Counties whose box is known well enough.
const COUNTIES: &[(&str, Bounds)] = &[
    ("500242", Bounds::tenths(1083, 1093, 283, 294)),
    ("530822", Bounds::tenths(1011, 1021, 228, 239)),
    ("511623", Bounds::tenths(1066, 1073, 300, 305)),
];

/// Boxes well inside the provinces, except 贵州, which is covered from border to border.
const PROVINCES: &[(&str, Bounds)] = &[
    ("11", Bounds::tenths(1160, 1169, 398, 406)),
    ("12", Bounds::tenths(1170, 1176, 389, 398)),
    ("13", Bounds::tenths(1148, 1162, 375, 390)),
    ("14", Bounds::tenths(1116, 1132, 360, 390)),
    ("15", Bounds::tenths(1110, 1180, 412, 430)),
    ("21", Bounds::tenths(1215, 1245, 408, 423)),
    ("22", Bounds::tenths(1245, 1275, 428, 445)),
    ("23", Bounds::tenths(1255, 1305, 455, 480)),
    ("31", Bounds::tenths(1212, 1218, 309, 314)),
    ("32", Bounds::tenths(1185, 1205, 320, 340)),
    ("33", Bounds::tenths(1190, 1210, 285, 305)),
    ("34", Bounds::tenths(1163, 1183, 308, 333)),
    ("35", Bounds::tenths(1168, 1188, 252, 275)),
    ("36", Bounds::tenths(1145, 1168, 255, 288)),
    ("37", Bounds::tenths(1163, 1195, 352, 372)),
    ("41", Bounds::tenths(1120, 1155, 325, 352)),
    ("42", Bounds::tenths(1105, 1148, 302, 323)),
    ("43", Bounds::tenths(1103, 1133, 260, 292)),
    ("44", Bounds::tenths(1120, 1155, 228, 246)),
    ("45", Bounds::tenths(1070, 1105, 225, 250)),
    ("46", Bounds::tenths(1092, 1103, 189, 197)),
    ("50", Bounds::tenths(1063, 1088, 290, 306)),
    ("51", Bounds::tenths(1025, 1065, 288, 320)),
    ("52", Bounds::tenths(1036, 1095, 246, 292)),
    ("53", Bounds::tenths(995, 1035, 235, 265)),
    ("54", Bounds::tenths(860, 950, 290, 315)),
    ("61", Bounds::tenths(1075, 1100, 330, 375)),
    ("62", Bounds::tenths(1025, 1065, 340, 365)),
    ("63", Bounds::tenths(970, 1015, 345, 375)),
    ("64", Bounds::tenths(1053, 1068, 360, 385)),
    ("65", Bounds::tenths(800, 880, 390, 450)),
];

/// The box of a county: its own, or a cell of its province's box by its place among the `count`
/// counties there. `None` for a province that does not exist.
pub(super) fn bounds(county: &str, index: i32, count: i32) -> Option<Bounds> {
    if let Some((_, bounds)) = COUNTIES.iter().find(|(code, _)| *code == county) {
        return Some(*bounds);
    }
    let (_, province) = PROVINCES.iter().find(|(code, _)| county.starts_with(code))?;
    Some(province.cell(index, count))
}
