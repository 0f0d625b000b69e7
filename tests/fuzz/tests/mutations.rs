//! Every target on its seeds and on some thousand mutations of them, always the same ones.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;

use penstock_fuzz_targets::TARGETS;

/// Mutations a target: as many as take a few seconds without optimisation.
const MUTATIONS: usize = 3_000;

/// Numbers that look random, by Marsaglia's xorshift.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new("../../fuzz/seeds").join(target);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("seeds").map(|entry| entry.expect("an entry").path()).collect();
    // The order of a folder is no one's promise.
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

/// One seed, changed in a few places as fuzzers do.
fn mutation(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len() + 1);
        let until = (at + numbers.below(8)).min(bytes.len());
        match numbers.below(6) {
            0 => drop(bytes.drain(at..until)),
            1 => bytes.insert(at, numbers.next() as u8),
            2 => bytes.insert(at, b"\"\\,\n{}[]():;'\x00\xfe\xff"[numbers.below(16)]),
            3 => bytes[at..until].reverse(),
            4 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                let piece = other[from..(from + numbers.below(24)).min(other.len())].to_vec();
                drop(bytes.splice(at..until, piece));
            }
            _ => {
                let piece = bytes[at..until].repeat(1 + numbers.below(4));
                drop(bytes.splice(at..at, piece));
            }
        }
    }
    bytes
}

#[test]
fn every_law_holds_for_seeds_and_their_mutations() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| target(seed));
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for number in 0..MUTATIONS {
            let bytes = mutation(&seeds, &mut numbers);
            let panicked = std::panic::catch_unwind(|| target(&bytes)).is_err();
            assert!(!panicked, "{name}, mutation {number}: {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn every_target_has_a_fuzzer() {
    let manifest = Path::new("../../fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the fuzzers' manifest");
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")), "{name}");
        let main = Path::new("../../fuzz/fuzz_targets").join(format!("{name}.rs"));
        let main = std::fs::read_to_string(main).expect("a fuzzer");
        assert!(main.contains(&format!("penstock_fuzz_targets::{name}(data)")), "{name}");
    }
}
