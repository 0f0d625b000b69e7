//! An upper bound of the work that a path causes, from its text and the size of what it looks through.
//!
//! The text is taken for what it cannot do less than: each `..` may meet a value once a level, each filter looks at each
//! value, a filter that itself looks around does so for each value again, and one that starts from the whole row walks
//! all of it each time. Regular expressions are compiled for each value.

use super::super::path::outside_strings;

/// Steps for each byte.
const STEPS_A_BYTE: f64 = 512.0;

/// Steps that are borne whatever is looked through.
const STEPS_BORNE: f64 = 65_536.0;

/// Values found for each byte.
const VALUES_A_BYTE: f64 = 4.0;

/// Values found that are borne whatever is looked through.
const VALUES_BORNE: f64 = 4_096.0;

/// Steps that compiling a regular expression is worth.
const STEPS_OF_REGEX: f64 = 1_024.0;

/// What of a path makes work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// `..` outside of filters.
    descents: i32,
    /// Selectors of all brackets multiplied.
    selectors: f64,
    filters: i32,
    /// `..`, `*` and `:` inside of filters.
    inner_walks: i32,
    /// `$` inside of filters.
    roots: i32,
    regexes: i32,
}

impl Cost {
    pub(super) fn of(path: &str) -> Self {
        let outside = outside_strings(path.strip_prefix('$').unwrap_or(path));
        let mut cost = Self { descents: 0, selectors: 1.0, filters: 0, inner_walks: 0, roots: 0, regexes: 0 };
        // Selectors of each open bracket.
        let mut open: Vec<f64> = Vec::new();
        let mut inside: Vec<bool> = Vec::new();
        let mut previous = ' ';
        for character in outside.chars() {
            let filter = inside.iter().any(|filter| *filter);
            match character {
                '[' => {
                    open.push(1.0);
                    inside.push(false);
                }
                ']' => {
                    cost.selectors *= open.pop().unwrap_or(1.0);
                    inside.pop();
                }
                ',' => open.last_mut().into_iter().for_each(|selectors| *selectors += 1.0),
                '?' => {
                    cost.filters += 1;
                    inside.last_mut().into_iter().for_each(|filter| *filter = true);
                }
                '.' if previous == '.' && filter => cost.inner_walks += 1,
                '.' if previous == '.' => cost.descents += 1,
                '*' | ':' if filter => cost.inner_walks += 1,
                '$' => cost.roots += 1,
                _ => {}
            }
            previous = character;
        }
        cost.regexes += i32::from(outside.contains("match") || outside.contains("search"));
        cost
    }

    /// Whether the path may be evaluated on so many values, so many levels deep, written in so many bytes.
    pub(super) fn is_borne(&self, values: usize, levels: usize, bytes: usize) -> bool {
        // Only their sizes matter, so it does not matter that a float rounds them.
        let (values, levels, bytes) = (rounded(values), rounded(levels), rounded(bytes));
        let found = values * levels.powi((self.descents - 1).max(0)) * self.selectors;
        let visits = values * levels.powi(self.descents) * self.selectors;
        // What a filter does for one value: it walks below it, and filters in it once more for each level there.
        let below = levels.powi(self.inner_walks + (self.filters - 1).max(0)) * 4.0_f64.powi(self.filters);
        // A walk from the root passes all values.
        let from_root = if self.roots > 0 && self.inner_walks > 0 { (values * below).powi(self.roots) } else { 0.0 };
        let regexes = if self.regexes > 0 { STEPS_OF_REGEX } else { 0.0 };
        let steps = visits * (below + from_root + regexes);
        steps <= STEPS_BORNE + STEPS_A_BYTE * bytes && found <= VALUES_BORNE + VALUES_A_BYTE * bytes
    }
}

fn rounded(size: usize) -> f64 {
    u32::try_from(size).map_or(f64::from(u32::MAX), f64::from)
}
