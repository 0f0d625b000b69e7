//! Records that look like those before, read without a stop between their bytes and whoever takes their values.
//!
//! [`Matches`](super::matching::Matches) has remembered which keys come in which order, and what each means: here they are
//! only compared, and the values are handed on where they stand, in the order of the record. Whatever is not as expected
//! ends this with `None`; then nothing is decided, the taker takes back what it has, and the record is read once more by the
//! way that is right about everything. So this is a matter of time only: what it accepts, the other reads the same.

use super::matching::Order;
use super::raw::RawCursor;
use super::tree::{Node, Tree};

/// Keys in a row that a record may leave out.
const KEYS_LEFT_OUT: usize = 16;

/// Takes the values of wanted places.
pub(crate) trait Take<'a, T> {
    /// Takes the value that is next and passes over it; `depth` containers are open around it.
    fn take(&mut self, target: &T, cursor: &mut RawCursor<'a>, depth: usize) -> Option<()>;
}

/// What is to be done at each node of a tree.
#[derive(Debug, Clone)]
pub(crate) struct Program<T>(Vec<Step<T>>);

#[derive(Debug, Clone, Copy)]
enum Step<T> {
    /// Something below it is wanted.
    Object,
    /// The value is.
    Take(T),
    /// Nothing is.
    Pass,
}

impl<T: Copy> Program<T> {
    /// The program for a tree of short paths through objects, whose slots go to `targets`; `None` where this is no matter of
    /// objects, and where a value goes to several targets.
    pub(super) fn new(tree: &Tree, targets: &[Option<T>]) -> Option<Self> {
        let step = |node: &Node| match node.slots.as_slice() {
            [] if node.members.len() > 0 => Some(Step::Object),
            [slot] if node.members.len() == 0 => {
                Some(targets.get(*slot).copied().flatten().map_or(Step::Pass, Step::Take))
            }
            _ => None,
        };
        tree.nodes().iter().map(step).collect::<Option<_>>().filter(|_| tree.is_plain()).map(Self)
    }

    /// Reads a record that is one object; `None` if somebody else has to.
    #[inline]
    pub(super) fn read<'a>(&self, orders: &[Order<'a>], value: &'a [u8], to: &mut impl Take<'a, T>) -> Option<()> {
        let mut cursor = RawCursor::new(value);
        cursor.skip_space();
        let mut cursor = self.object(orders, 0, cursor, 1, to)?;
        cursor.skip_space();
        cursor.peek().is_none().then_some(())
    }

    /// Recursion follows the tree, whose paths are short.
    fn object<'a>(
        &self,
        orders: &[Order<'a>],
        number: usize,
        mut cursor: RawCursor<'a>,
        depth: usize,
        to: &mut impl Take<'a, T>,
    ) -> Option<RawCursor<'a>> {
        if !cursor.take(b'{') {
            return None;
        }
        let mut due = orders.get(number)?.keys().iter();
        loop {
            cursor.skip_space();
            let mut known = due.next()?;
            if !cursor.take_word(&known.word) {
                let mut left_out = 0;
                known = due.find(|known| {
                    left_out += 1;
                    left_out > KEYS_LEFT_OUT || cursor.take_word(&known.word)
                })?;
                if left_out > KEYS_LEFT_OUT {
                    return None;
                }
            }
            cursor.skip_space();
            match known.child.and_then(|child| self.0.get(child)) {
                None | Some(Step::Pass) => cursor.skip(depth)?,
                // Of equal keys the first one counts.
                Some(Step::Take(_) | Step::Object) if known.again => return None,
                Some(Step::Take(target)) => to.take(target, &mut cursor, depth)?,
                Some(Step::Object) if cursor.peek() == Some(b'{') => {
                    cursor = self.object(orders, known.child?, cursor, depth + 1, to)?;
                }
                Some(Step::Object) => cursor.skip(depth)?,
            }
            if !cursor.take(b',') {
                cursor.skip_space();
                if cursor.take(b'}') {
                    return Some(cursor);
                }
                if !cursor.take(b',') {
                    return None;
                }
            }
        }
    }
}
