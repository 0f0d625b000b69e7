//! One pass over a row that puts what the paths want into slots.
//!
//! Keys are compared after their escapes are resolved. Of equal keys the first one counts, also where a path leads through them. What no path wants is passed over, checked
//! all the same.
//!
//! Records of a topic mostly have the keys of the record before, in the same order: what a key's bytes were found to mean is
//! remembered, and a key is first compared with the one that is due ([`Order`]). That is a matter of time only.

use super::fault::{Fault, FaultKind};
use super::scan::{Cursor, MAX_DEPTH, Quoted, Word};
use super::text::unescape;
use super::tree::{Node, Tree};
use crate::format::value::Value;

/// Room that is used again for each row.
#[derive(Debug, Default)]
pub(crate) struct Matches<'a> {
    /// What the row has, one entry a slot of the tree.
    pub(crate) slots: Vec<Value<'a>>,
    /// The row in which each node was last met.
    met: Vec<u64>,
    row: u64,
    key: String,
    /// One a node of the tree.
    pub(super) orders: Vec<Order<'a>>,
}

/// Keys of an object in the order in which they came before, each with what it means.
#[derive(Debug, Default)]
pub(super) struct Order<'a> {
    keys: Vec<KnownKey<'a>>,
    /// The key that is due.
    next: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct KnownKey<'a> {
    /// As written, from its opening quote to its value.
    pub(super) word: Word<'a>,
    /// The node that wants its value.
    pub(super) child: Option<usize>,
    /// Whether a key before it has the same node: written otherwise, or twice.
    pub(super) again: bool,
}

/// Keys of an object that are remembered.
const KNOWN_KEYS: usize = 4096;

/// Keys that are due, if those before them are left out.
const KEYS_AHEAD: usize = 3;

impl<'a> Order<'a> {
    /// In their order.
    pub(super) fn keys(&self) -> &[KnownKey<'a>] {
        &self.keys
    }

    /// What the key means that is next, which is passed over; `None` if it is not known here.
    #[inline]
    fn take(&mut self, cursor: &mut Cursor<'a>) -> Option<KnownKey<'a>> {
        let due = self.keys.get(self.next)?;
        if cursor.take_word(&due.word) {
            self.next += 1;
            return Some(*due);
        }
        for ahead in self.next + 1..self.next + KEYS_AHEAD {
            let later = self.keys.get(ahead)?;
            if cursor.take_word(&later.word) {
                self.next = ahead + 1;
                return Some(*later);
            }
        }
        None
    }

    /// Remembers what a key means that came after all others.
    fn remember(&mut self, text: &'a str, child: Option<usize>) {
        if self.next == self.keys.len() && self.next < KNOWN_KEYS {
            let again = child.is_some() && self.keys.iter().any(|known| known.child == child);
            self.keys.push(KnownKey { word: Word::new(text), child, again });
            self.next += 1;
        }
    }
}

impl<'a> Matches<'a> {
    /// Fills the slots from the row whose `{` is next; the cursor ends after its `}`.
    ///
    /// `depth` containers are open around the row. After a fault, slots mean nothing.
    pub(crate) fn fill(&mut self, tree: &Tree, cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        self.slots.clear();
        self.slots.resize(tree.slots(), Value::Missing);
        self.met.resize(tree.len(), 0);
        self.orders.resize_with(tree.len(), Order::default);
        self.row += 1;
        let start = cursor.at();
        let mut pass = Pass { tree, matches: self };
        let Some(root) = tree.node(0) else {
            return cursor.skip_value(depth);
        };
        pass.container(0, root, cursor, depth)?;
        for slot in &root.slots {
            pass.set(*slot, Value::Row(cursor.text_since(start)));
        }
        Ok(())
    }
}

struct Pass<'p, 'a> {
    tree: &'p Tree,
    matches: &'p mut Matches<'a>,
}

/// Recursion follows the tree, which is as deep as the longest path of the definition, never the data.
impl<'a> Pass<'_, 'a> {
    #[inline]
    fn set(&mut self, slot: usize, value: Value<'a>) {
        if let Some(place) = self.matches.slots.get_mut(slot) {
            *place = value;
        }
    }

    /// Whether the node is met for the first time in this row.
    #[inline]
    fn meet(&mut self, node: usize) -> bool {
        match self.matches.met.get_mut(node) {
            Some(row) if *row != self.matches.row => {
                *row = self.matches.row;
                true
            }
            _ => false,
        }
    }

    fn value(&mut self, number: usize, cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        let Some(node) = self.tree.node(number) else {
            return cursor.skip_value(depth);
        };
        let value = match cursor.peek() {
            Some(b'"') => {
                let Quoted { raw, escaped } = cursor.string()?;
                if escaped { Value::Escaped(raw) } else { Value::Text(raw) }
            }
            Some(b'-' | b'0'..=b'9') => Value::Number(cursor.number()?),
            Some(b't') => cursor.word("true").map(|()| Value::Boolean(true))?,
            Some(b'f') => cursor.word("false").map(|()| Value::Boolean(false))?,
            Some(b'n') => cursor.word("null").map(|()| Value::Null)?,
            Some(bracket @ (b'{' | b'[')) => {
                let start = cursor.at();
                self.container(number, node, cursor, depth)?;
                let value = Value::Container(cursor.text_since(start));
                for slot in &node.slots {
                    self.set(*slot, value);
                }
                if bracket == b'{' {
                    self.no_array(node);
                }
                return Ok(());
            }
            _ => return Err(cursor.fault(FaultKind::Expected("a value"))),
        };
        for slot in &node.slots {
            self.set(*slot, value);
        }
        if !node.indexed.is_empty() && !matches!(value, Value::Null) {
            self.no_array(node);
        }
        Ok(())
    }

    fn no_array(&mut self, node: &Node) {
        for slot in &node.indexed {
            self.set(*slot, Value::NoArray);
        }
    }

    #[inline]
    fn container(&mut self, number: usize, node: &Node, cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(cursor.fault(FaultKind::TooDeep));
        }
        let wanted = node.members.len() + usize::from(node.first.is_some());
        match cursor.peek() {
            Some(b'{') if wanted > 0 => {
                // Set aside, since an object of the same node cannot be within this one.
                let mut order = self.matches.orders.get_mut(number).map(std::mem::take).unwrap_or_default();
                order.next = 0;
                let read = self.members(node, &mut order, wanted, cursor, depth + 1);
                self.matches.orders.get_mut(number).into_iter().for_each(|place| *place = std::mem::take(&mut order));
                read
            }
            Some(b'[') if !node.elements.is_empty() => self.elements(node, cursor, depth + 1),
            _ => cursor.skip_container(depth),
        }
    }

    fn members(
        &mut self,
        node: &Node,
        order: &mut Order<'a>,
        mut wanted: usize,
        cursor: &mut Cursor<'a>,
        depth: usize,
    ) -> Result<(), Fault> {
        cursor.advance();
        cursor.skip_space();
        if cursor.take(b'}') {
            return Ok(());
        }
        let mut first = node.first;
        loop {
            let child = match order.take(cursor) {
                Some(known) => {
                    cursor.skip_space();
                    known.child
                }
                None => {
                    let start = cursor.at();
                    let key = cursor.key()?;
                    let child = self.child(node, key);
                    order.remember(cursor.text_since(start), child);
                    child
                }
            };
            let child = child.filter(|child| wanted > 0 && self.meet(*child));
            if let Some(first) = first.take() {
                wanted -= 1;
                self.meet(first);
                // The same value may be wanted under its own key too: it is read twice then.
                let mut again = cursor.clone();
                self.value(first, &mut again, depth)?;
                if child.is_none() {
                    *cursor = again;
                }
            } else if child.is_none() {
                cursor.skip_value(depth)?;
            }
            if let Some(child) = child {
                wanted -= 1;
                self.value(child, cursor, depth)?;
            }
            if !cursor.take(b',') {
                cursor.skip_space();
                if cursor.take(b'}') {
                    return Ok(());
                }
                if !cursor.take(b',') {
                    return Err(cursor.fault(FaultKind::Expected("`,` or `}`")));
                }
            }
            cursor.skip_space();
        }
    }

    /// The node that wants the member of this key.
    #[inline]
    fn child(&mut self, node: &Node, key: Quoted<'a>) -> Option<usize> {
        if key.escaped {
            self.matches.key.clear();
            unescape(key.raw, &mut self.matches.key).ok()?;
            return node.members.get(&self.matches.key);
        }
        node.members.get(key.raw)
    }

    fn elements(&mut self, node: &Node, cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        cursor.advance();
        cursor.skip_space();
        if cursor.take(b']') {
            return Ok(());
        }
        let mut wanted = node.elements.iter().peekable();
        for number in 0.. {
            match wanted.next_if(|(next, _)| *next == number) {
                Some((_, child)) => self.value(*child, cursor, depth)?,
                None => cursor.skip_value(depth)?,
            }
            cursor.skip_space();
            if cursor.take(b']') {
                break;
            }
            if !cursor.take(b',') {
                return Err(cursor.fault(FaultKind::Expected("`,` or `]`")));
            }
            cursor.skip_space();
        }
        Ok(())
    }
}
