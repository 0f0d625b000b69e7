//! All paths of a job as one tree, so that one pass over a row finds what every path wants.

use super::path::{NoArray, Step};

/// Paths (or keys) that share their beginnings. The first node is the row itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    slots: usize,
    /// Steps of the longest path.
    depth: usize,
}

/// Steps of a path that is short.
const MAX_PLAIN_DEPTH: usize = 32;

/// A place in a row that some path leads to or through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    /// Wanted members of the object here.
    pub(crate) members: Members,
    /// The node that wants the first member, whatever its key.
    pub(crate) first: Option<usize>,
    /// Wanted elements of the array here, ascending, each with its node.
    pub(crate) elements: Vec<(u64, usize)>,
    /// Slots that take the value here.
    pub(crate) slots: Vec<usize>,
    /// Slots that are at fault if there is no array here.
    pub(crate) indexed: Vec<usize>,
}

impl Tree {
    /// The tree of these paths; the n-th one fills slot n.
    pub(crate) fn new<'p>(paths: impl IntoIterator<Item = (&'p [Step], NoArray)>) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], slots: 0, depth: 0 };
        for (path, no_array) in paths {
            tree.insert(tree.slots, path, no_array);
            tree.slots += 1;
            tree.depth = tree.depth.max(path.len());
        }
        for node in &mut tree.nodes {
            node.elements.sort_unstable();
            node.members.index();
        }
        tree
    }

    /// Slots that a row fills.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Nodes, the row's own included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether all paths are short, and lead through members of objects only.
    pub(crate) fn is_plain(&self) -> bool {
        self.nodes.iter().all(|node| node.first.is_none() && node.elements.is_empty()) && self.depth <= MAX_PLAIN_DEPTH
    }

    /// All nodes, by their number.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node by its number.
    #[inline]
    pub(crate) fn node(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    fn insert(&mut self, slot: usize, path: &[Step], no_array: NoArray) {
        let mut at = 0;
        for step in path {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            let next = match step {
                Step::Member(key) => node.members.entry(key, fresh),
                Step::First => *node.first.get_or_insert(fresh),
                Step::Element(number) => {
                    if no_array == NoArray::Fault {
                        node.indexed.push(slot);
                    }
                    match node.elements.iter().find(|(wanted, _)| wanted == number) {
                        Some((_, next)) => *next,
                        None => {
                            node.elements.push((*number, fresh));
                            fresh
                        }
                    }
                }
            };
            if next == fresh {
                self.nodes.push(Node::default());
            }
            at = next;
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.slots.push(slot);
        }
    }
}

/// Wanted keys of an object, found by length and fingerprint first: most keys of wide records are unwanted, and keys
/// that are numbered share their length and their beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    /// Ascending by length.
    keys: Vec<Member>,
    /// Where the keys of each length start in `keys`; the entry after the longest length ends them.
    starts: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Member {
    fingerprint: u64,
    key: Box<str>,
    node: usize,
}

impl Members {
    /// How many keys are wanted.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The node of a key.
    #[inline]
    pub(crate) fn get(&self, key: &str) -> Option<usize> {
        let from = *self.starts.get(key.len())?;
        let to = *self.starts.get(key.len() + 1)?;
        let fingerprint = fingerprint(key.as_bytes());
        let same_length = self.keys.get(from..to)?;
        let found = same_length.iter().find(|member| member.fingerprint == fingerprint && *member.key == *key);
        found.map(|member| member.node)
    }

    fn entry(&mut self, key: &str, fresh: usize) -> usize {
        match self.keys.iter().find(|member| *member.key == *key) {
            Some(member) => member.node,
            None => {
                let fingerprint = fingerprint(key.as_bytes());
                self.keys.push(Member { fingerprint, key: key.into(), node: fresh });
                fresh
            }
        }
    }

    fn index(&mut self) {
        self.keys.sort_by_key(|member| member.key.len());
        let Some(longest) = self.keys.last().map(|member| member.key.len()) else {
            return;
        };
        self.starts =
            (0..=longest + 1).map(|length| self.keys.partition_point(|member| member.key.len() < length)).collect();
    }
}

/// A number in which few keys of one length agree: of both ends of the key, since either may be common to all.
#[inline]
fn fingerprint(key: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        return u64::from_le_bytes(*first).rotate_left(29) ^ u64::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) << 32 | u64::from(last);
    }
    key.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
