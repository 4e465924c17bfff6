//! The published test vectors, natively and (through `cargo xtask test wasm`) as wasm. None of the expected values
//! was computed by this code.

use glacier_core::tree_hash::{self, LEAF_LEN};
use glacier_core::{ByteRange, MIB, PartHasher, PartPlan, PartSize, TreeHash, TreeHasher, sha256};

const VECTORS: &str = include_str!("../../../tests/vectors/tree_hash.json");

/// Byte patterns of the vectors, as `tests/vectors/tree_hash.json` describes them.
fn pattern(name: &str, size: usize) -> Vec<u8> {
    let low = |n: usize| u8::try_from(n % 256).unwrap();
    match name {
        "zero" => vec![0; size],
        "ff" => vec![0xff; size],
        "a" => vec![b'a'; size],
        "0" => vec![b'0'; size],
        "mod251" => (0..size).map(|i| low(i % 251)).collect(),
        "leaf" => (0..size).map(|i| low(i / LEAF_LEN)).collect(),
        "ctr" => (0..).flat_map(|i: u64| sha256::digest(&i.to_be_bytes())).take(size).collect(),
        "lcg" => std::iter::successors(Some(12_345_u64), |x| Some((x * 1_103_515_245 + 12_345) % (1 << 31)))
            .map(|x| u8::try_from((x >> 16) & 255).unwrap())
            .take(size)
            .collect(),
        _ => panic!("unknown pattern {name}"),
    }
}

fn vectors() -> Vec<(String, usize, String, String)> {
    let file: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = file["vectors"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let size = usize::try_from(row["size"].as_u64().unwrap()).unwrap();
            (text(row, "pattern"), size, text(row, "sha256"), text(row, "tree"))
        })
        .collect()
}

#[test]
fn every_published_vector_holds() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 51);
    for (name, size, linear, tree) in vectors {
        let data = pattern(&name, size);
        let mut hasher = PartHasher::new();
        // Pieces that do not divide a leaf, so that every border inside the hasher is crossed.
        for piece in data.chunks(1_000_003) {
            hasher.update(piece);
        }
        let digest = hasher.finish();
        assert_eq!(digest.payload_hash.to_string(), linear, "{size} bytes of {name}");
        assert_eq!(digest.tree_hash.to_string(), tree, "{size} bytes of {name}");
    }
}

#[test]
fn leaves_hashed_elsewhere_give_the_same_tree() {
    let data = pattern("mod251", 6_815_744);
    let mut hasher = TreeHasher::new();
    for leaf in data.chunks(LEAF_LEN) {
        hasher.push_leaf(sha256::digest(leaf), u32::try_from(leaf.len()).unwrap());
    }
    assert_eq!(hasher.finish(), TreeHash::of(&data));
    assert_eq!(hasher.len(), 6_815_744);
}

/// (pattern, size, part size in MiB, part hashes, root). Copied from the protocol's part vectors.
fn part_vectors() -> Vec<(&'static str, usize, u64, Vec<&'static str>, &'static str)> {
    let root_6_5 = "8bcaa7b4b8f991ca140f306627f2c4e84601364cde8e054b6e0924433ca7482f";
    let root_7 = "03687114c17503fcdf3c531fec5967a271ae259e989fbd1a21878685ea4e1313";
    let root_ctr = "ff75ada9e8201264e1941102d0d293ca9f8a4202439eb65e522d5e00b9e9f04c";
    let root_16_2 = "d5d467858dff8703de1161f83e085670b5291357bd58daaabaf7d61784e41801";
    vec![
        ("mod251", 6_815_744, 1, vec![
            "631b84027d6b9e52b539c4e8373622d23032dfadc64d60af87339c9037e4f769",
            "729b9155f00261a681000ccd0ff20e750ed3d525b5b1e6fc961837a3bb666fd6",
            "c85ef98b88946506e2c5488c04b97d86b5ec214add104d4849a3145f5e49fd65",
            "fb424e06b1bcfa4abe6862ffbb279614d06fd76af7f0a9015d05943c19ff3bc7",
            "913ce5b1447d28935c8acc3bc64add33b4c092c1eda4d6913e42f41f57b73b11",
            "0c6cb13dd57281eb061a856c0c6b121aed3ef04e8d94ea989e4fd5f3918a4f20",
            "c9fed994db0d8e2e5b7d603f40c18613d1f545288928a52ee9d2b2e2375f7160",
        ], root_6_5),
        ("mod251", 6_815_744, 2, vec![
            "bf4dff263ae686b64403208c35a3767e38453d6477e841947588d13d04e1d816",
            "9e217b1ceb8db81071f9c6e4a2bf0401a83491d10751ce858a2628f5d699dbdb",
            "3f1cd462b63cf286198c3f2ee91cf116dfed51d327686dca0fb06ba94a4ae759",
            "c9fed994db0d8e2e5b7d603f40c18613d1f545288928a52ee9d2b2e2375f7160",
        ], root_6_5),
        ("mod251", 6_815_744, 4, vec![
            "c7d749cd55cefa8ed8fbc208202e18d019b7701f29886f7c5d662d77b3903833",
            "3e997f13ddc355e8a55035672d60ba90275ece6485044b3616a0966e2b895fc1",
        ], root_6_5),
        ("mod251", 6_815_744, 8, vec![root_6_5], root_6_5),
        ("leaf", 7_340_032, 2, vec![
            "56000aae067539dced6beb96e22a17d7a596e8824a93fc35dd06c13fba9e9a1b",
            "d1d5b496d3337e6a861029592334a156fb35d4236b34377b7fa0d504c9f775b3",
            "d640872142ee0da7d1e4d1313d6ebb8087d5a2b1ff89dd954434ffde001fa769",
            "5bec197c93e7a8855a8fc7baf397b764f103e3bcdf81128c8c6cbbfde0fccfc9",
        ], root_7),
        ("leaf", 7_340_032, 4, vec![
            "67b4bca77c9935ead8b071feb32ccccc142dfb5a2674650a1320f6fbcef943c6",
            "b43907b71171bff1d7f56100d956a46e74b714f6fee9287c0f8785b542c2ec10",
        ], root_7),
        ("ctr", 5_255_225, 2, vec![
            "5514604c14911454d661e5f884a25fbf28aba7322c36939f01060a023adda430",
            "bb29a0834f656703c515c7a3977021716e0ab2a13b44b0e877d8afcc087b86fa",
            "f49fe5b04d3acf7609594dc88351355329bcca76b056d3e0515de5afb1e79055",
        ], root_ctr),
        ("ctr", 5_255_225, 4, vec![
            "1f11a69eaaed1e0e53ce1b17f71d609d573aecb8e52b0c6113bb0bc63efb5e32",
            "f49fe5b04d3acf7609594dc88351355329bcca76b056d3e0515de5afb1e79055",
        ], root_ctr),
        ("mod251", 16_986_931, 4, vec![
            "c7d749cd55cefa8ed8fbc208202e18d019b7701f29886f7c5d662d77b3903833",
            "df3bdbfd4c74d42142e62ac8f25814aa998d945542b4d697a506a63767822d6e",
            "576610564b765b03aae4a68658f0679862171a3b0910c76d93575000648e72df",
            "fec610854edf6db7d666a4f6c2f6466b80654ed9a65340e6f79e9209acd95665",
            "8bcae85514dc7e47a0e889b2e35c7d80133439cd264e2602c6b276039d64b825",
        ], root_16_2),
        ("mod251", 16_986_931, 8, vec![
            "be9e1b21179533d14e87f6e4767f32b1c17e8ffb5ffcf82d42eceacf8abda110",
            "d56fbcb063cfee23bde09d92fa78f85a7a6d84af85c8a797268bf52282d5716d",
            "8bcae85514dc7e47a0e889b2e35c7d80133439cd264e2602c6b276039d64b825",
        ], root_16_2),
    ]
}

#[test]
fn parts_hash_and_combine_as_published() {
    for (name, size, mib, expected, root) in part_vectors() {
        let data = pattern(name, size);
        let plan = PartPlan::exact(size as u64, PartSize::from_bytes(mib * MIB).unwrap()).unwrap();
        let index = |at: u64| usize::try_from(at).unwrap();
        let parts: Vec<TreeHash> =
            plan.ranges().map(|range| TreeHash::of(&data[index(range.start())..index(range.end())])).collect();
        let hex: Vec<String> = parts.iter().map(TreeHash::to_string).collect();
        assert_eq!(hex, expected, "{size} bytes of {name} in {mib} MiB parts");
        assert_eq!(tree_hash::combine(&parts).to_string(), root);
    }
}

#[test]
fn combining_alone_gives_the_published_roots() {
    for (count, root) in [
        (1, "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119"),
        (2, "430ebda8b2441cf6a796f7f2a9b3377ae2fc8b23fe022fc018bed864b0fa1815"),
        (3, "baab99a32bb15f1d10b9dd6958f98a729e8d237207b7d8b9e7789e382834d1eb"),
        (10, "9ecd65f4c3eb466afda85dd3c625d16cdb44ebb77c193c43df9b8eacec38b3e6"),
        (1000, "d7ce169218028f39abdb75b5037d4ce7e483fca3068720500b5652421b47bafa"),
        (10_000, "4a04fa6028fc343c58a789de4e24f9d4c4ce4b2a7ebc48d3ceefddc89e32e269"),
        (40_960, "76bcf9ef485bbefce1e8078f78e40b9084b0ee6a84cdd8ad29a3ab1949b96f8e"),
    ] {
        let nodes: Vec<TreeHash> =
            (0..count).map(|i: u32| TreeHash::from_bytes(sha256::digest(&i.to_be_bytes()))).collect();
        assert_eq!(tree_hash::combine(&nodes).to_string(), root, "{count} nodes");
    }
    assert_eq!(tree_hash::combine(&[]), TreeHash::of(&[]));
}

#[test]
fn ranges_of_an_archive_hash_as_published() {
    let data = pattern("mod251", 6_815_744);
    for (inclusive, aligned, root) in [
        ("0-1048575", true, "631b84027d6b9e52b539c4e8373622d23032dfadc64d60af87339c9037e4f769"),
        ("1048576-2097151", true, "729b9155f00261a681000ccd0ff20e750ed3d525b5b1e6fc961837a3bb666fd6"),
        ("2097152-4194303", true, "9e217b1ceb8db81071f9c6e4a2bf0401a83491d10751ce858a2628f5d699dbdb"),
        ("0-4194303", true, "c7d749cd55cefa8ed8fbc208202e18d019b7701f29886f7c5d662d77b3903833"),
        ("4194304-6291455", true, "3f1cd462b63cf286198c3f2ee91cf116dfed51d327686dca0fb06ba94a4ae759"),
        ("4194304-6815743", true, "3e997f13ddc355e8a55035672d60ba90275ece6485044b3616a0966e2b895fc1"),
        ("6291456-6815743", true, "c9fed994db0d8e2e5b7d603f40c18613d1f545288928a52ee9d2b2e2375f7160"),
        ("1048576-3145727", false, "b75aca8a18ab725e6da28ced838ac9be59756d81fd6899b0d853849b43f7117e"),
    ] {
        let range = ByteRange::parse_inclusive(inclusive).unwrap();
        let index = |at: u64| usize::try_from(at).unwrap();
        assert_eq!(TreeHash::of(&data[index(range.start())..index(range.end())]).to_string(), root);
        assert_eq!(range.is_tree_hash_aligned(6_815_744), aligned, "{inclusive}");
    }
}
