//! All randomness of the sample.
//!
//! Numbers are derived here from the generator's raw words with integer arithmetic, and `exp` is
//! built from multiplications only. So the output stays the same on every platform and does not
//! change when a library changes how it draws a range or rounds a logarithm.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random decisions.
pub(super) struct Dice {
    source: ChaCha8Rng,
}

impl Dice {
    /// Streams of the same seed with different numbers are independent of each other.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(stream);
        Self { source }
    }

    /// A number in `0..end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let wide = u64::from(self.source.next_u32()) * u64::from(end);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        low.saturating_add_unsigned(self.below(high.abs_diff(low).saturating_add(1)))
    }

    /// True `per_mille` times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of the items, each as likely.
    pub(super) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let end = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let index = usize::try_from(self.below(end)).unwrap_or(0);
        items.get(index).copied().unwrap_or_default()
    }

    /// One of the items, by weight.
    pub(super) fn weighted<T: Copy + Default>(&mut self, items: &[(u32, T)]) -> T {
        let mut left = self.below(items.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in items {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        T::default()
    }

    /// A fraction in `0.0..1.0`.
    pub(super) fn fraction(&mut self) -> f64 {
        f64::from(self.source.next_u32()) / 4_294_967_296.0
    }

    /// A number in `low..high`.
    pub(super) fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// About normally distributed, mean 0 and deviation 1: twelve uniform numbers, which needs no
    /// logarithm and never leaves -6..6.
    pub(super) fn normal(&mut self) -> f64 {
        let mut sum = 0_u32;
        for _ in 0..6 {
            let word = self.source.next_u32();
            sum += (word >> 16) + (word & 0xffff);
        }
        f64::from(sum) / 65_536.0 - 6.0
    }
}

/// e to the power of `x`, good to a thousandth for |x| below 3: (1 + x/1024)^1024.
pub(super) fn exp(x: f64) -> f64 {
    let mut power = 1.0 + x / 1024.0;
    for _ in 0..10 {
        power *= power;
    }
    power
}

/// The nearest whole number; amounts of the sample are far below the limits.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and amounts are small")]
pub(super) fn whole(x: f64) -> i64 {
    x.round() as i64
}
