//! Names that users mistype.

/// The known name that `name` is most likely meant to be; `None` if none is close.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let close = known.map(|known| (distance(name, known), known)).min()?;
    let length = name.chars().count();
    // A name of which every letter is another is no mistyped one.
    (close.0 <= length.div_ceil(3) && close.0 < length.max(1)).then_some(close.1)
}

/// Letters to be added, left out or replaced, in any case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, left) in a.to_lowercase().chars().take(100).enumerate() {
        let mut diagonal = std::mem::replace(row.as_mut_slice().first_mut().unwrap_or(&mut 0), index + 1);
        let mut before = index + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(&b) {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = *cell;
            *cell = replaced.min(before + 1).min(diagonal + 1);
            before = *cell;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_close_or_none() {
        let known = || ["uid", "site", "vtime"].into_iter();
        assert_eq!(nearest("VTIEM", known()), Some("vtime"));
        assert_eq!(nearest("sites", known()), Some("site"));
        assert_eq!(nearest("price", known()), None);
    }
}
