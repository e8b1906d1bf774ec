//! One of something for each sheet.

use super::{Sheet, SheetCounts};

/// One value for each sheet, in the order of [`Sheet::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BySheet<T>([T; Sheet::COUNT]);

/// Rows written, by sheet.
pub(crate) type Counts = BySheet<SheetCounts>;

impl<T> BySheet<T> {
    /// Makes the value of each sheet in turn, until one cannot be made.
    ///
    /// # Errors
    /// The first failure of `make`.
    pub(super) fn try_each<E>(mut make: impl FnMut(Sheet) -> Result<T, E>) -> Result<Self, E> {
        let [a, b, c, d, e, f, g, h, i, j, k] = Sheet::ALL;
        Ok(Self([
            make(a)?,
            make(b)?,
            make(c)?,
            make(d)?,
            make(e)?,
            make(f)?,
            make(g)?,
            make(h)?,
            make(i)?,
            make(j)?,
            make(k)?,
        ]))
    }

    /// The sheet's value, to be changed.
    pub(super) fn of_mut(&mut self, sheet: Sheet) -> &mut T {
        let Self([a, b, c, d, e, f, g, h, i, j, k]) = self;
        match sheet {
            Sheet::Areas => a,
            Sheet::Organisations => b,
            Sheet::Villages => c,
            Sheet::Cadres => d,
            Sheet::Teams => e,
            Sheet::Households => f,
            Sheet::Persons => g,
            Sheet::Incomes => h,
            Sheet::Pairings => i,
            Sheet::Targets => j,
            Sheet::Indicators => k,
        }
    }

    /// The values with their sheets.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Sheet, &T)> {
        Sheet::ALL.into_iter().zip(&self.0)
    }
}

#[cfg(test)]
impl<T> BySheet<T> {
    /// The sheet's value.
    pub(super) fn of(&self, sheet: Sheet) -> &T {
        self.each().find_map(|(of, value)| (of == sheet).then_some(value)).unwrap()
    }
}
