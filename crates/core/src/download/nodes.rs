//! The part of a tree that is known.

use litemap::LiteMap;

use crate::part::MIB;
use crate::range::ByteRange;
use crate::tree_hash::{self, TreeHash};

/// Nodes of the tree over an output, as they become known in any order. Two children become their parent at once, so
/// that a run of any length is a few nodes, and a whole output is one: its root.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    /// Bytes in the output.
    len: u64,
    /// By first leaf: how many levels above the leaves, and the hash. A node at the right edge is as high as it is
    /// without another's help.
    nodes: LiteMap<u64, (u32, TreeHash)>,
    /// Bytes under the nodes.
    known: u64,
}

impl Nodes {
    pub(super) const fn new(len: u64) -> Self {
        Self { len, nodes: LiteMap::new(), known: 0 }
    }

    /// Bytes whose hash is known.
    pub(super) const fn known(&self) -> u64 {
        self.known
    }

    fn n_leaves(&self) -> u64 {
        self.len.div_ceil(MIB)
    }

    fn range_of(&self, first: u64, level: u32) -> Option<ByteRange> {
        let end = first.saturating_add(1 << level).saturating_mul(MIB).min(self.len);
        ByteRange::new(first.saturating_mul(MIB), end)
    }

    /// All nodes, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ByteRange, TreeHash)> {
        self.nodes.iter().filter_map(|(first, (level, hash))| Some((self.range_of(*first, *level)?, *hash)))
    }

    /// The node that has all of `range`.
    pub(super) fn covering(&self, range: ByteRange) -> Option<ByteRange> {
        let first = range.start() / MIB;
        let at = self.nodes.find_index(&first).or_else(|next| next.checked_sub(1).ok_or(next)).ok()?;
        let (first, (level, _)) = self.nodes.get_indexed(at)?;
        self.range_of(*first, *level).filter(|node| node.covers(range))
    }

    /// Takes a node. `false`, and nothing happens, where `range` is no node of this tree or some of it is known.
    pub(super) fn insert(&mut self, range: ByteRange, hash: TreeHash) -> bool {
        let is_known = self.iter_around(range).any(|known| known.intersection(range).is_some());
        if is_known || !range.is_tree_hash_aligned(self.len) {
            return false;
        }
        self.known += range.len();
        let mut first = range.start() / MIB;
        let mut level = range.len().div_ceil(MIB).next_power_of_two().trailing_zeros();
        let mut hash = hash;
        while 1 << level < self.n_leaves() {
            let span = 1 << level;
            let other = first ^ span;
            if other >= self.n_leaves() {
                // Without a neighbour a node moves up as it is.
                level += 1;
                continue;
            }
            let Some((_, sibling)) = self.nodes.get(&other).filter(|(its_level, _)| *its_level == level) else { break };
            hash = tree_hash::combine(&if first < other { [hash, *sibling] } else { [*sibling, hash] });
            self.nodes.remove(&other);
            first = first.min(other);
            level += 1;
        }
        self.nodes.insert(first, (level, hash));
        true
    }

    /// The nodes that may have something in common with `range`.
    fn iter_around(&self, range: ByteRange) -> impl Iterator<Item = ByteRange> {
        let first = range.start() / MIB;
        let (Ok(next) | Err(next)) = self.nodes.find_index(&first);
        let before = next.checked_sub(1).and_then(|at| self.nodes.get_indexed(at));
        let inside = self.nodes.get_indexed(next);
        before.into_iter().chain(inside).filter_map(|(first, (level, _))| self.range_of(*first, *level))
    }

    /// Forgets all nodes `is_kept` says no to.
    pub(super) fn retain(&mut self, is_kept: impl Fn(ByteRange) -> bool) {
        let kept: Vec<_> = self.iter().filter(|(range, _)| is_kept(*range)).collect();
        *self = Self::new(self.len);
        for (range, hash) in kept {
            self.insert(range, hash);
        }
    }

    /// The tree hash of the output, once all of it is known.
    pub(super) fn root(&self) -> Option<TreeHash> {
        if self.len == 0 {
            return Some(TreeHash::of(&[]));
        }
        let (level, hash) = self.nodes.get(&0)?;
        (1 << level >= self.n_leaves()).then_some(*hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> TreeHash {
        TreeHash::from_bytes(crate::sha256::digest(&n.to_be_bytes()))
    }

    fn pieces(len: u64, piece: u64) -> Vec<(ByteRange, TreeHash)> {
        (0..len.div_ceil(piece))
            .map(|n| {
                let range = ByteRange::new(n * piece, len.min((n + 1) * piece)).unwrap();
                let leaves: Vec<_> = (range.start() / MIB..range.end().div_ceil(MIB)).map(leaf).collect();
                (range, tree_hash::combine(&leaves))
            })
            .collect()
    }

    #[test]
    fn any_order_of_any_pieces_gives_the_root() {
        for leaves in 1..=40 {
            let len = leaves * MIB - 9;
            let root = tree_hash::combine(&(0..leaves).map(leaf).collect::<Vec<_>>());
            for piece in [MIB, 2 * MIB, 4 * MIB, 16 * MIB, 64 * MIB] {
                for shuffle in 0..8 {
                    let mut pieces = pieces(len, piece);
                    pieces.sort_by_key(|(range, _)| *leaf(range.start() ^ shuffle).as_bytes());
                    let mut nodes = Nodes::new(len);
                    for (range, hash) in pieces {
                        assert_eq!(nodes.root(), None);
                        assert!(nodes.insert(range, hash) && !nodes.insert(range, hash));
                    }
                    let found = (nodes.root(), nodes.known(), nodes.nodes.len());
                    assert_eq!(found, (Some(root), len, 1), "{leaves} {piece} {shuffle}");
                }
            }
        }
    }

    #[test]
    fn a_run_is_few_nodes_and_knows_what_it_covers() {
        let len = 1_000 * MIB - 1;
        let mut nodes = Nodes::new(len);
        let pieces = pieces(len, MIB);
        for (range, hash) in &pieces[..999] {
            assert!(nodes.insert(*range, *hash));
            assert!(nodes.nodes.len() <= 10);
        }
        assert!(nodes.covering(ByteRange::new(3, 500 * MIB).unwrap()).is_some());
        assert_eq!(nodes.covering(pieces[999].0), None);
        let mut again = Nodes::new(len);
        for (range, hash) in nodes.iter() {
            assert!(again.insert(range, hash));
        }
        assert!(again.insert(pieces[999].0, pieces[999].1) && nodes.insert(pieces[999].0, pieces[999].1));
        assert_eq!(again.root(), nodes.root());
    }

    #[test]
    fn what_is_no_node_or_overlaps_is_refused() {
        let mut nodes = Nodes::new(7 * MIB);
        let range = |first: u64, last: u64| ByteRange::new(first * MIB, last * MIB).unwrap();
        for bad in [range(1, 3), range(3, 7), range(0, 8), ByteRange::new(1, MIB).unwrap()] {
            assert!(!nodes.insert(bad, leaf(0)), "{bad:?}");
        }
        assert!(nodes.insert(range(2, 4), leaf(0)));
        for bad in [range(2, 3), range(3, 4), range(0, 4), range(0, 7), range(2, 4)] {
            assert!(!nodes.insert(bad, leaf(0)), "{bad:?}");
        }
        nodes.retain(|range| range.start() == 0);
        assert_eq!((nodes.known(), nodes.iter().count()), (0, 0));
    }
}
