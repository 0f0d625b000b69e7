//! Many seeds, on several threads: plays share nothing, so that what is found is the same whatever the number of threads.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::bug::Bug;
use crate::play::{Counts, play_seed};

/// Plays `seeds` with `bug` planted, and gives the lowest that breaks an invariant; `None` if none does. `played` is told
/// of every play as it ends, in any order. Seeds above one that broke are left out as far as they have not begun.
pub fn first_broken(
    seeds: Range<u64>,
    bug: Option<Bug>,
    threads: NonZeroUsize,
    mut played: impl FnMut(Counts),
) -> Option<u64> {
    let next = AtomicU64::new(seeds.start);
    let broken = AtomicU64::new(u64::MAX);
    let (ended, ends) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let (ended, next, broken) = (ended.clone(), &next, &broken);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end || seed > broken.load(Ordering::SeqCst) {
                        return;
                    }
                    let (_, play) = play_seed(seed, bug, false);
                    if play.violation.is_some() {
                        broken.fetch_min(seed, Ordering::SeqCst);
                    }
                    if ended.send(play.counts).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        ends.into_iter().for_each(&mut played);
    });
    let broken = broken.into_inner();
    (broken != u64::MAX).then_some(broken)
}

/// As many threads as there are cores for this process.
pub fn all_cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
