//! Equal values of a column numbered: what its dictionary holds, and which of it each row has.
//!
//! Numbers are given in the order of appearance and nothing is left to chance, since equal columns give equal files.

/// The numbering of a column's values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Distinct {
    /// One a value: its number.
    pub(super) numbers: Vec<u32>,
    /// One a number: the row where it appears first.
    pub(super) firsts: Vec<usize>,
}

const FREE: u32 = u32::MAX;

/// Places of a table at first; always a power of two.
const FIRST_PLACES: usize = 256;

impl Distinct {
    /// Numbers the values of `rows`; `None` if they are more than `most` different ones, which are fewer than 2^31. `hash`
    /// gives a number for a row's value, of which the higher half is as good as random; `same` says whether those of two rows
    /// are equal.
    pub(super) fn new(
        rows: impl Iterator<Item = usize>,
        most: usize,
        hash: impl Fn(usize) -> u64,
        same: impl Fn(usize, usize) -> bool,
    ) -> Option<Self> {
        let mut table = vec![FREE; FIRST_PLACES];
        let mut hashes: Vec<u64> = Vec::new();
        let mut distinct = Self { numbers: Vec::with_capacity(rows.size_hint().0), firsts: Vec::new() };
        for row in rows {
            let hash = hash(row);
            let mask = table.len() - 1;
            let mut place = (hash >> 32) as usize & mask;
            let number = loop {
                let number = table.get(place).copied()?;
                if number == FREE {
                    break None;
                }
                let is_it = hashes.get(number as usize) == Some(&hash);
                if is_it && distinct.firsts.get(number as usize).is_some_and(|first| same(*first, row)) {
                    break Some(number);
                }
                place = (place + 1) & mask;
            };
            if let Some(number) = number {
                distinct.numbers.push(number);
                continue;
            }
            if hashes.len() >= most {
                return None;
            }
            let number = u32::try_from(hashes.len()).ok()?;
            *table.get_mut(place)? = number;
            hashes.push(hash);
            distinct.firsts.push(row);
            distinct.numbers.push(number);
            if hashes.len() * 2 > table.len() {
                table = larger(&hashes, table.len() * 2)?;
            }
        }
        Some(distinct)
    }
}

/// A table of so many places, a power of two, in which all are found.
#[cold]
fn larger(hashes: &[u64], places: usize) -> Option<Vec<u32>> {
    let mut table = vec![FREE; places];
    for (number, hash) in (0..).zip(hashes) {
        let mut place = (hash >> 32) as usize & (places - 1);
        while *table.get(place)? != FREE {
            place = (place + 1) & (places - 1);
        }
        *table.get_mut(place)? = number;
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_values_have_one_number(values in prop::collection::vec(0..600_u64, 0..2000), shift in 0..40) {
            // Some hashes are bad on purpose.
            let found = Distinct::new(0..values.len(), 1000, |row| values[row] << shift, |one, other| values[one] == values[other]);
            let mut known: Vec<u64> = Vec::new();
            let mut expected = Distinct { numbers: Vec::new(), firsts: Vec::new() };
            for (row, value) in values.iter().enumerate() {
                let number = known.iter().position(|other| other == value).unwrap_or_else(|| {
                    known.push(*value);
                    expected.firsts.push(row);
                    known.len() - 1
                });
                expected.numbers.push(number as u32);
            }
            prop_assert_eq!(found, Some(expected));
            let too_many = known.len().checked_sub(1).map(|most| {
                Distinct::new(0..values.len(), most, |row| values[row], |one, other| values[one] == values[other])
            });
            prop_assert!(too_many.is_none_or(|distinct| distinct.is_none()));
        }
    }
}
