//! Streaming, whole and combined hashing agree for any split of any input.
#![cfg(not(target_family = "wasm"))]

use glacier_core::tree_hash::{self, LEAF_LEN};
use glacier_core::{MIB, PartHasher, PartPlan, PartSize, TreeHash, sha256};
use proptest::prelude::*;

/// The definition, written down literally: a list of leaves, then pairs, level by level.
fn by_definition(data: &[u8]) -> TreeHash {
    let mut level: Vec<[u8; 32]> = data.chunks(LEAF_LEN).map(sha256::digest).collect();
    if level.is_empty() {
        level.push(sha256::digest(&[]));
    }
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| if pair.len() == 2 { sha256::digest(&pair.concat()) } else { pair[0] })
            .collect();
    }
    TreeHash::from_bytes(level[0])
}

/// A period of 251 is prime to every power of two, so that swapped blocks change the answer.
fn data(len: usize) -> Vec<u8> {
    (0..251u8).cycle().take(len).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_gives_the_tree_of_the_definition(
        len in 0..(9 * LEAF_LEN),
        pieces in prop::collection::vec(1..(3 * LEAF_LEN), 1..6),
    ) {
        let data = data(len);
        let mut hasher = PartHasher::new();
        let mut rest = data.as_slice();
        for piece in pieces.iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at(rest.len().min(*piece));
            hasher.update(now);
            rest = later;
        }
        prop_assert_eq!(hasher.finish().tree_hash, by_definition(&data));
        prop_assert_eq!(*hasher.finish().payload_hash.as_bytes(), sha256::digest(&data));
    }

    #[test]
    fn parts_of_any_legal_size_combine_to_the_whole(len in 1..(9 * LEAF_LEN), exponent in 0..5u32) {
        let data = data(len);
        let plan = PartPlan::exact(len as u64, PartSize::from_bytes(MIB << exponent).unwrap()).unwrap();
        let parts: Vec<TreeHash> = plan
            .ranges()
            .map(|range| TreeHash::of(&data[usize::try_from(range.start()).unwrap()..usize::try_from(range.end()).unwrap()]))
            .collect();
        prop_assert_eq!(tree_hash::combine(&parts), by_definition(&data));
    }
}
