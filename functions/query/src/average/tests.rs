use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion::common::ScalarValue;

use super::mean::Mean;

fn mean(precision: u8, scale: i8, sum: i256, count: u64) -> Result<ScalarValue, String> {
    Mean::of(&DataType::Decimal128(precision, scale)).unwrap().value(sum, count).map_err(|error| error.to_string())
}

#[test]
fn digits_are_those_of_a_quotient() {
    for (scale, of_mean) in [(0, 6), (2, 8), (6, 12), (7, 12), (12, 12), (13, 13), (38, 38)] {
        let of = Mean::of(&DataType::Decimal128(38, scale)).unwrap();
        assert_eq!(of.data_type(), DataType::Decimal128(38, of_mean), "{scale}");
    }
    assert_eq!(Mean::of(&DataType::Decimal256(39, 0)).unwrap().data_type(), DataType::Float64);
    assert_eq!(Mean::of(&DataType::Float64), None);
}

#[test]
fn halves_go_away_from_zero() {
    for (sum, count, unscaled) in [
        (1, 3, 333_333),
        (2, 3, 666_667),
        (-2, 3, -666_667),
        (1, 2_000_000, 1),
        (-1, 2_000_000, -1),
        (1, 2_000_001, 0),
        (3, 2_000_000, 2),
        (0, 7, 0),
    ] {
        let value = mean(10, 0, i256::from_i128(sum), count);
        assert_eq!(value, Ok(ScalarValue::Decimal128(Some(unscaled), 38, 6)), "{sum} / {count}");
    }
    assert_eq!(mean(10, 0, i256::ZERO, 0), Ok(ScalarValue::Decimal128(None, 38, 6)));
}

#[test]
fn sum_beyond_128_bits_has_its_mean_and_a_mean_beyond_38_digits_is_an_error() {
    let largest = i256::from_i128(10_i128.pow(38) - 1);
    let thrice = largest.checked_mul(i256::from_i128(3)).unwrap();
    assert_eq!(mean(38, 38, thrice, 3), Ok(ScalarValue::Decimal128(Some(10_i128.pow(38) - 1), 38, 38)));
    assert_eq!(mean(38, 12, thrice.wrapping_neg(), 3), Ok(ScalarValue::Decimal128(Some(1 - 10_i128.pow(38)), 38, 12)));
    assert!(mean(38, 0, thrice, 3).unwrap_err().contains("no room in DECIMAL(38, 6)"));
    assert!(mean(38, 0, i256::MAX, 1).unwrap_err().contains("no room"));
}

#[test]
fn mean_of_large_integers_is_as_near_as_a_double_is() {
    let of = Mean::of(&DataType::Decimal256(39, 0)).unwrap();
    let double = |sum: i256, count| of.value(sum, count).unwrap();
    assert_eq!(double(i256::from_i128(7), 2), ScalarValue::Float64(Some(3.5)));
    assert_eq!(double(i256::from_i128(i128::MIN), 1), ScalarValue::Float64(Some(-(2_f64.powi(127)))));
    assert_eq!(double(i256::MAX, 2), ScalarValue::Float64(Some(2_f64.powi(254))));
    assert_eq!(double(i256::ZERO, 0), ScalarValue::Float64(None));
}
