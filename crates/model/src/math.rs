//! Numbers that come out the same on every machine.
//!
//! The platform's libm may differ between machines in the last bit; verdicts may not. So logarithms and the like
//! come from the `libm` crate (a port of musl's), and `clippy.toml` bans the standard ones. Conversions that can
//! lose something stand here, once, with the reason.

/// Natural logarithm. Negative or zero input gives the logarithm of the smallest positive normal number.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x.max(f64::MIN_POSITIVE))
}

/// `ln(1 + x)`, exact near zero.
#[must_use]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// Decimal logarithm, floored like [`ln`].
#[must_use]
pub fn log10(x: f64) -> f64 {
    libm::log10(x.max(f64::MIN_POSITIVE))
}

/// Exponential function.
#[must_use]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `2^x`.
#[must_use]
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// The logistic function `1 / (1 + e^-x)`.
#[must_use]
pub fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// `ln Σ exp(x)`, stable for large magnitudes. The empty sum is negative infinity.
#[must_use]
pub fn log_sum_exp(xs: &[f64]) -> f64 {
    let top = xs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    // `exp(0)` is 1 exactly, and one of them is the top.
    let share = |x: &f64| if *x == top { 1.0 } else { exp(x - top) };
    top + ln(xs.iter().map(share).sum())
}

/// The factor by which a count decays in `elapsed` when it halves every `half_life` (same unit, both in minutes).
/// Negative elapsed time counts as none: a late event does not grow older counts.
#[must_use]
pub fn half_life_factor(elapsed: f64, half_life: f64) -> f64 {
    if elapsed <= 0.0 {
        return 1.0;
    }
    exp2(-elapsed / half_life)
}

/// Nearest `f32`; what is lost is below the seventh digit, which no threshold depends on.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the point")]
pub fn to_f32(x: f64) -> f32 {
    x as f32
}

/// An integer as `f64`; exact up to 2^53.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds and counts stay below 2^53"
)]
pub fn from_i64(x: i64) -> f64 {
    x as f64
}

/// A count as `f64`; exact up to 2^53.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn from_u64(x: u64) -> f64 {
    x as f64
}

/// A length as `f64`; exact up to 2^53.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "lengths stay below 2^53")]
pub fn from_usize(x: usize) -> f64 {
    x as f64
}

/// Nearest integer, saturating at the ends of `i64`; NaN is 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, which is what the name promises"
)]
pub fn to_i64(x: f64) -> i64 {
    round(x) as i64
}

/// Nearest count, saturating: negative and NaN are 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what the name promises"
)]
pub fn to_u64(x: f64) -> u64 {
    round(x) as u64
}

/// The whole part of a number, saturating: negative and NaN are 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` cuts and saturates, which is what the name promises"
)]
pub fn whole(x: f64) -> u64 {
    x as u64
}

/// Nearest small count, saturating: negative and NaN are 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what the name promises"
)]
pub fn to_u32(x: f64) -> u32 {
    round(x) as u32
}

/// Rounds to `digits` decimals, for numbers that are shown or written.
#[must_use]
pub fn round_to(x: f64, digits: u8) -> f64 {
    let scale = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    let scale = scale.get(usize::from(digits)).copied().unwrap_or(1e9);
    round(x * scale) / scale
}

/// To the nearest integer, halves away from zero: what `libm::round` gives, bit for bit, without its call. Verdicts
/// round forty times.
fn round(x: f64) -> f64 {
    /// From here on `f64` has no fractions.
    const WHOLE_FROM: f64 = 4_503_599_627_370_496.0;
    if x.abs() < WHOLE_FROM {
        let cut = from_i64(cut(x));
        let away = if (x - cut).abs() >= 0.5 { 1.0 } else { 0.0 };
        (cut.abs() + away).copysign(x)
    } else {
        x
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller has seen that it fits")]
fn cut(x: f64) -> i64 {
    x as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sum_exp_is_stable_far_from_zero() {
        assert!((log_sum_exp(&[1000.0, 1000.0]) - (1000.0 + ln(2.0))).abs() < 1e-12);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn late_events_do_not_grow_counts() {
        assert_eq!(half_life_factor(-5.0, 10.0), 1.0);
        assert!((half_life_factor(10.0, 10.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn rounding_is_that_of_libm() {
        let mut bits = 1_u64;
        for _ in 0..1_000_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let any = f64::from_bits(bits);
            let near = from_i64(cut(from_u64(bits >> 33))) / 1_024.0;
            for x in [any, near, -near, near + 0.5, 0.499_999_999_999_999_94, f64::NAN] {
                let want = libm::round(x);
                assert!(round(x).to_bits() == want.to_bits() || x.is_nan(), "{x:?}");
            }
        }
    }

    #[test]
    fn the_whole_part_is_the_floor() {
        for x in [
            -7.5,
            -0.3,
            -0.0,
            0.0,
            0.999_999,
            1.0,
            239.5,
            1e12 + 0.5,
            1e300,
            f64::NAN,
        ] {
            assert_eq!(whole(x), to_u64(x.floor()), "{x}");
        }
    }

    #[test]
    fn conversions_saturate() {
        assert_eq!(to_u32(-3.0), 0);
        assert_eq!(to_u32(f64::NAN), 0);
        assert_eq!(to_i64(1e300), i64::MAX);
    }
}
