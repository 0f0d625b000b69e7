//! The nearest of the known names to one that is not known: for hints.

/// Longest text that is compared; nobody mistypes more.
const LONGEST: usize = 64;

/// The candidate that differs from `found` in the fewest letters, regardless of case; the first of equals. `None` if
/// none is near: more than a third of the letters would have to change.
pub fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if found.len() > LONGEST {
        return None;
    }
    let found = found.to_ascii_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(&found, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (found.len().max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, replace or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let mut best = (at(&last, column + 1) + 1)
                .min(at(&current, column) + 1)
                .min(at(&last, column) + usize::from(letter != *other));
            let swapped = column > 0
                && previous == Some(*other)
                && right.get(column - 1) == Some(&letter)
                && !before_last.is_empty();
            if swapped {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["format", "jsonpaths", "json_root", "max_error_number"];
        assert_eq!(nearest("fromat", names), Some("format"));
        assert_eq!(nearest("FORMATS", names), Some("format"));
        assert_eq!(nearest("json_paths", names), Some("jsonpaths"));
        assert_eq!(nearest("max_error_num", names), Some("max_error_number"));
        assert_eq!(nearest("compression", names), None);
        assert_eq!(nearest(&"x".repeat(10_000), names), None);
    }

    #[test]
    fn a_swap_of_neighbours_is_one_change() {
        assert_eq!(distance("fromat", "format"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
