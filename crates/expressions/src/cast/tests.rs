use arrow_array::Float64Array;
use proptest::prelude::*;

use super::*;

fn doubles() -> impl Strategy<Value = f64> {
    let near_whole = (any::<i64>(), 0..64_u32).prop_map(|(number, shift)| {
        let number = (number >> shift) as f64;
        [number, number.next_up(), number.next_down(), number + 0.5]
    });
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (near_whole, 0..4_usize).prop_map(|(numbers, which)| numbers[which]),
        (-1e6..1e6_f64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn doubles_become_the_integers_that_their_texts_become(number in doubles()) {
        let column: ArrayRef = Arc::new(Float64Array::from(vec![number]));
        for to in [DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64] {
            let column_type = types::column_type(&to).unwrap();
            let by_text = of_texts(&column_type, texts(&column).unwrap().iter());
            prop_assert_eq!(&cast(&column, &to).unwrap(), &by_text, "{} as {}", number, to);
        }
    }
}
