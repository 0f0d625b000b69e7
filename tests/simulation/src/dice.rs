//! Randomness by name: what is drawn depends on the seed and on what it is drawn for, never on what was drawn before.
//!
//! So a schedule from which steps or faults are taken away plays the rest as it did, which is what makes shrinking work.

/// A source of numbers. Equal dice give equal numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// The dice of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: mixed(seed ^ 0x5eed_0f5e_ed0f_5eed) }
    }

    /// The dice for what `names` say, whatever these dice have given so far is part of their name.
    #[must_use]
    pub(crate) fn of(&self, names: &[u64]) -> Self {
        let state = names.iter().fold(self.state, |state, name| mixed(state.rotate_left(23) ^ mixed(*name)));
        Self { state }
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        // SplitMix64: <https://prng.di.unimi.it/splitmix64.c>
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finished(self.state)
    }

    /// From 0 to `limit` − 1; 0 if that is empty.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The bias of a remainder is far below what a simulation can notice.
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True so many times in a million.
    pub(crate) fn chance(&mut self, per_million: u64) -> bool {
        self.below(1_000_000) < per_million
    }

    /// One of `these`, each as likely; `None` if there is none.
    pub(crate) fn pick<'a, T>(&mut self, these: &'a [T]) -> Option<&'a T> {
        let place = self.below(these.len() as u64); // usize has at most 64 bits
        usize::try_from(place).ok().and_then(|place| these.get(place))
    }

    /// One of `these`, each as likely as its weight says; `None` if all weights are 0.
    pub(crate) fn weighed<'a, T>(&mut self, these: &'a [(u64, T)]) -> Option<&'a T> {
        let mut at = self.below(these.iter().map(|(weight, _)| weight).sum());
        these.iter().find_map(|(weight, this)| match at.checked_sub(*weight) {
            None => Some(this),
            Some(left) => {
                at = left;
                None
            }
        })
    }
}

fn mixed(number: u64) -> u64 {
    finished(number.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

fn finished(state: u64) -> u64 {
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_give_equal_numbers_whatever_was_drawn_between() {
        let dice = Dice::new(7);
        let first = dice.of(&[1, 2]).number();
        let mut other = dice.of(&[3]);
        other.number();
        assert_eq!(dice.of(&[1, 2]).number(), first);
        assert_ne!(dice.of(&[2, 1]).number(), first);
        assert_ne!(Dice::new(8).of(&[1, 2]).number(), first);
    }

    #[test]
    fn weight_nothing_is_never_picked() {
        let mut dice = Dice::new(1);
        for _ in 0..100 {
            assert_eq!(dice.weighed(&[(0, 'a'), (3, 'b'), (0, 'c')]), Some(&'b'));
        }
        assert_eq!(dice.weighed(&[(0, 'a')]), None);
    }
}
