//! Decimal fractions of configurations such as `min.cleanable.dirty.ratio`, which Kafka keeps as doubles. Here they are
//! whole billionths: every platform calculates the same with them.

use std::convert::Infallible;
use std::str::FromStr;

/// A fraction that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fraction {
    billionths: u64,
}

/// Digits behind the point.
const DIGITS: i64 = 9;

/// Parts of a whole.
const WHOLE: u64 = 1_000_000_000;

impl Fraction {
    /// What a number that was read before says, such as `0.5` or `1e-5`. What lies below 0 is 0; what is finer than a
    /// billionth is cut off.
    #[must_use]
    pub fn of_text(text: &str) -> Fraction {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i64 = exponent.parse().unwrap_or(0);
        let point = whole.len() as i64 + exponent;
        let digits = whole.chars().chain(decimals.chars());
        let wanted = usize::try_from(point + DIGITS).unwrap_or(0);
        let padded: String = digits.chain(std::iter::repeat('0')).take(wanted).collect();
        let billionths = if text.starts_with('-') { Ok(0) } else { padded.parse() };
        Fraction { billionths: billionths.unwrap_or(if wanted == 0 { 0 } else { u64::MAX }) }
    }

    /// So much of `number`, rounded down.
    #[must_use]
    pub fn of(self, number: u64) -> u64 {
        let product = u128::from(self.billionths) * u128::from(number) / u128::from(WHOLE);
        u64::try_from(product).unwrap_or(u64::MAX)
    }

    /// Whether `part` is more than this fraction of `whole`.
    #[must_use]
    pub fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(WHOLE) > u128::from(self.billionths) * u128::from(whole)
    }
}

impl FromStr for Fraction {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Fraction, Infallible> {
        Ok(Fraction::of_text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_billionths() {
        let table = [
            ("0.5", 500_000_000),
            ("0.9", 900_000_000),
            ("1.0", WHOLE),
            ("0", 0),
            ("1e-5", 10_000),
            ("2.5e-7", 250),
            ("1e-12", 0),
            ("-1.0", 0),
            ("12.25", 12_250_000_000),
            ("1e300", u64::MAX),
        ];
        for (text, billionths) in table {
            assert_eq!(Fraction::of_text(text), Fraction { billionths }, "{text}");
        }
    }

    #[test]
    fn a_ratio_is_exceeded_by_more_only() {
        let half = Fraction::of_text("0.5");
        assert_eq!((half.is_exceeded_by(5, 10), half.is_exceeded_by(6, 10)), (false, true));
        assert_eq!(Fraction::of_text("0.9").of(5_592_405), 5_033_164);
    }
}
