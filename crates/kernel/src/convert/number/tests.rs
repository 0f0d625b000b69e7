use proptest::prelude::*;

use super::*;

#[test]
fn text_that_is_no_number_is_none() {
    for text in [
        "", "-", "+", ".", "-.", "e1", "1e", "1e+", "1ee1", "1.2.3", "1 ", " 1", "1x", "0x1", "inf", "nan", "--1",
        "1_0", "１",
    ] {
        assert_eq!(DecimalText::parse(text), None, "{text}");
    }
}

#[test]
fn ends_of_128_bits_are_exact() {
    let truncated = |text: &str| DecimalText::parse(text).and_then(|number| number.truncated());
    assert_eq!(truncated(&i128::MAX.to_string()), Some(i128::MAX));
    assert_eq!(truncated(&i128::MIN.to_string()), Some(i128::MIN));
    assert_eq!(truncated("170141183460469231731687303715884105728"), None);
    assert_eq!(truncated("-170141183460469231731687303715884105729"), None);
    assert_eq!(truncated("17014118346046923173168730371588410572.7e1"), Some(i128::MAX));
    assert_eq!(truncated("340282366920938463463374607431768211456"), None);
    assert_eq!(truncated("9999999999999999999999999999999999999999999"), None);
    assert_eq!(truncated("1e-9223372036854775808"), Some(0));
    assert_eq!(truncated("1e9223372036854775808"), None);
}

proptest! {
    /// The same value, its point moved and its exponent with it.
    #[test]
    fn text_means_the_same_wherever_the_point_stands(value in any::<i64>(), places in 0_usize..40, zeros in 0_usize..5) {
        let digits = format!("{}{}", "0".repeat(places + 1), value.unsigned_abs());
        let (integer, fraction) = digits.split_at(digits.len() - places);
        let sign = if value < 0 { "-" } else { "" };
        let text = format!("{sign}{integer}.{fraction}{}e{places}", "0".repeat(zeros));
        prop_assert_eq!(DecimalText::parse(&text).and_then(|number| number.truncated()), Some(i128::from(value)), "{}", text);
    }

    #[test]
    fn scaling_rounds_half_away_from_zero(value in any::<i32>(), scale in 0_u8..9) {
        // Nine digits after the point.
        let magnitude = i128::from(value.unsigned_abs());
        let text = format!("{}{}.{:09}", if value < 0 { "-" } else { "" }, magnitude / 1_000_000_000, magnitude % 1_000_000_000);
        let unit = 10_i128.pow(9 - u32::from(scale));
        let rounded = (magnitude + unit / 2) / unit * i128::from(value.signum());
        prop_assert_eq!(DecimalText::parse(&text).and_then(|number| number.scaled(scale)), Some(rounded), "{}", text);
    }
}
