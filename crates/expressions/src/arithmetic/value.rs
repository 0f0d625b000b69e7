//! One value of each operand to one result; `None` for overflow and division by zero.

use arrow_buffer::i256;

use super::Arithmetic;

pub(super) fn integers(op: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Quotient => a.checked_div(b),
        // The lowest number has no quotient by −1, but a rest.
        Arithmetic::Remainder if b == -1 => Some(0),
        Arithmetic::Remainder => a.checked_rem(b),
        Arithmetic::Divide => None,
    }
}

pub(super) fn doubles(op: Arithmetic, a: f64, b: f64) -> Option<f64> {
    let value = match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        _ if b == 0.0 => return None,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::Quotient => (a / b).trunc(),
    };
    // Out of finite numbers comes a finite one or NULL.
    (value.is_finite() || !a.is_finite() || !b.is_finite()).then_some(value)
}

pub(super) fn large(op: Arithmetic, a: i256, b: i256) -> Option<i256> {
    let value = match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Quotient => a.checked_div(b),
        Arithmetic::Remainder => a.checked_rem(b),
        Arithmetic::Divide => None,
    }?;
    value.to_i128().map(i256::from_i128)
}

/// Decimals, whose digits after the point are those of the columns that they stand in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimals {
    op: Arithmetic,
    /// 10 to the power by which each is multiplied first; `None` if that has no room.
    shifts: Option<(i128, i128)>,
    /// The power itself.
    powers: (i16, i16),
    /// What the result is smaller than, whatever its sign.
    limit: i128,
    /// Whether every result of operands with so many digits is: then nothing is checked.
    pub(super) bounded: bool,
}

impl Decimals {
    /// `scales` are the operands' digits after the point, `wide` the digits that a result may have in all; its type has
    /// `precision` digits, `scale` of them after the point.
    pub(super) fn new(op: Arithmetic, scales: (i16, i16), wide: i16, (precision, scale): (u8, i8)) -> Option<Self> {
        let (left, right) = scales;
        let powers = match op {
            Arithmetic::Multiply => (0, 0),
            Arithmetic::Divide | Arithmetic::Quotient => {
                let shift = i16::from(scale) + right - left;
                (shift.max(0), (-shift).max(0))
            }
            _ => (i16::from(scale) - left, i16::from(scale) - right),
        };
        Some(Self {
            op,
            shifts: power_of_ten(powers.0).zip(power_of_ten(powers.1)),
            powers,
            limit: power_of_ten(i16::from(precision))?,
            bounded: wide <= 38 && matches!(op, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply),
        })
    }

    /// The result where [`bounded`](Self::bounded) says that it has room.
    pub(super) fn unchecked(self) -> impl Fn(i128, i128) -> Option<i128> {
        let (left, right) = self.shifts.unwrap_or((1, 1));
        move |a, b| {
            Some(match self.op {
                Arithmetic::Multiply => a.wrapping_mul(b),
                Arithmetic::Subtract => a.wrapping_mul(left).wrapping_sub(b.wrapping_mul(right)),
                _ => a.wrapping_mul(left).wrapping_add(b.wrapping_mul(right)),
            })
        }
    }

    pub(super) fn checked(self, a: i128, b: i128) -> Option<i128> {
        // Most have room in 128 bits from beginning to end.
        let value = self.narrow(a, b).or_else(|| self.wide(a, b)?.to_i128())?;
        (value.checked_abs()? < self.limit).then_some(value)
    }

    fn narrow(self, a: i128, b: i128) -> Option<i128> {
        let (left, right) = self.shifts?;
        let shifted = |value: i128, by: i128| if by == 1 { Some(value) } else { value.checked_mul(by) };
        let (a, b) = (shifted(a, left)?, shifted(b, right)?);
        match self.op {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            // Processors multiply and divide 64 bits; 128 are a function.
            Arithmetic::Multiply => match (i64::try_from(a), i64::try_from(b)) {
                (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
                _ => a.checked_mul(b),
            },
            Arithmetic::Remainder => a.checked_rem(b),
            Arithmetic::Divide | Arithmetic::Quotient => {
                let (quotient, rest) = match (i64::try_from(a), i64::try_from(b)) {
                    (Ok(a), Ok(b)) => (i128::from(a.checked_div(b)?), i128::from(a.checked_rem(b)?)),
                    _ => (a.checked_div(b)?, a.checked_rem(b)?),
                };
                let up = rest.checked_abs()?.checked_mul(2)? >= b.checked_abs()?;
                let step = if (a < 0) == (b < 0) { 1 } else { -1 };
                if up { quotient.checked_add(step) } else { Some(quotient) }
            }
        }
    }

    /// The same in 256 bits.
    fn wide(self, a: i128, b: i128) -> Option<i256> {
        let shifted = |value: i128, power: i16| i256::from_i128(value).checked_mul(wide_power_of_ten(power)?);
        let (a, b) = (shifted(a, self.powers.0)?, shifted(b, self.powers.1)?);
        match self.op {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => a.checked_mul(b),
            Arithmetic::Remainder => a.checked_rem(b),
            Arithmetic::Divide | Arithmetic::Quotient => {
                let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
                let up = rest.checked_abs()?.checked_mul(i256::from_i128(2))? >= b.checked_abs()?;
                let step = if (a < i256::ZERO) == (b < i256::ZERO) { i256::ONE } else { i256::MINUS_ONE };
                if up { quotient.checked_add(step) } else { Some(quotient) }
            }
        }
    }
}

fn power_of_ten(power: i16) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(power).ok()?)
}

fn wide_power_of_ten(power: i16) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(power).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digits() -> impl Strategy<Value = i128> {
        prop_oneof![
            any::<i128>().prop_map(|value| value % 10_i128.pow(38)),
            any::<i64>().prop_map(i128::from),
            -20..20_i128
        ]
    }

    proptest! {
        #[test]
        fn result_in_128_bits_is_that_of_256(
            op in prop::sample::select(vec![
                Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide, Arithmetic::Remainder,
            ]),
            a in digits(), b in digits(), left in 0_i16..19, right in 0_i16..19,
        ) {
            let (wide, scale) = super::super::result_digits(op, (38, left), (38, right));
            let decimals = Decimals::new(op, (left, right), wide, (38, i8::try_from(scale).unwrap())).unwrap();
            let expected = decimals.wide(a, b).and_then(|value| value.to_i128()).filter(|value| value.abs() < 10_i128.pow(38));
            prop_assert_eq!(decimals.checked(a, b), expected);
        }

        #[test]
        fn result_that_always_has_room_needs_no_check(
            op in prop::sample::select(vec![Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply]),
            a in any::<i64>(), b in any::<i64>(), left in 0_i16..9, right in 0_i16..9,
        ) {
            let (a, b) = (i128::from(a) % 10_i128.pow(18), i128::from(b) % 10_i128.pow(18));
            let (wide, scale) = super::super::result_digits(op, (18, left), (18, right));
            let type_digits = (u8::try_from(wide).unwrap(), i8::try_from(scale).unwrap());
            let decimals = Decimals::new(op, (left, right), wide, type_digits).unwrap();
            prop_assert!(decimals.bounded);
            prop_assert_eq!(decimals.unchecked()(a, b), decimals.checked(a, b));
        }
    }
}
