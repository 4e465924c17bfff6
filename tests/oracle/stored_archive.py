"""What an archive in the store's data folder really is, told without any of our code.

Reads the metadata with sqlite3 and the bytes from the files, and computes both hashes with hashlib by the textbook: the
data in one piece after the other, leaves of 1 MiB, then pairs, level by level.

    python3 tests/oracle/stored_archive.py --data DIR --archive-id ID [--vault VAULT]

prints {"size", "sha256", "tree_hash", "description"}. Works while the store is running.
"""

import argparse
import hashlib
import json
import pathlib
import sqlite3
import sys

MIB = 1024 * 1024


def tree_hash_of_leaves(level):
    """The root over raw leaf hashes; a node without a neighbour moves up unchanged."""
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()


def tree_hash(data):
    """The tree hash of bytes at hand."""
    leaves = [hashlib.sha256(data[i : i + MIB]).digest() for i in range(0, len(data), MIB)]
    return tree_hash_of_leaves(leaves or [hashlib.sha256(b"").digest()])


def segments(data_folder, archive_id, vault=None):
    """Path and length of each run of bytes of an archive, in order, and its description."""
    path = pathlib.Path(data_folder)
    database = sqlite3.connect(f"file:{path / 'metadata.sqlite'}?mode=ro", uri=True)
    archive = database.execute(
        "SELECT content, description, size FROM archives JOIN vaults ON vaults.id = vault "
        "WHERE archive_id = ? AND (? IS NULL OR vaults.name = ?)",
        (archive_id, vault, vault),
    ).fetchone()
    if archive is None:
        raise LookupError("no such archive")
    content, description, size = archive
    rows = database.execute(
        "SELECT first_byte, len, file FROM segments WHERE content = ? ORDER BY first_byte", (content,)
    ).fetchall()
    database.close()
    end = 0
    for first_byte, length, _ in rows:
        if first_byte != end:
            raise ValueError(f"a gap or an overlap at byte {end}")
        end += length
    if end != size:
        raise ValueError(f"metadata says {size} bytes, the segments have {end}")
    return [(path / "files" / file, length) for _, length, file in rows], description


def stored_archive(data_folder, archive_id, vault=None):
    """Size, hashes and description of an archive, from its bytes on disk."""
    files, description = segments(data_folder, archive_id, vault)
    whole, leaf, leaf_len, leaves, size = hashlib.sha256(), hashlib.sha256(), 0, [], 0
    for path, length in files:
        if path.stat().st_size != length:
            raise ValueError(f"{path.name} has {path.stat().st_size} bytes instead of {length}")
        with path.open("rb") as file:
            # A leaf may lie across two files: an archive's leaves know nothing of parts.
            while piece := file.read(MIB - leaf_len):
                whole.update(piece)
                leaf.update(piece)
                leaf_len += len(piece)
                size += len(piece)
                if leaf_len == MIB:
                    leaves.append(leaf.digest())
                    leaf, leaf_len = hashlib.sha256(), 0
    if leaf_len or not leaves:
        leaves.append(leaf.digest())
    return {
        "size": size,
        "sha256": whole.hexdigest(),
        "tree_hash": tree_hash_of_leaves(leaves),
        "description": description,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--archive-id", required=True)
    parser.add_argument("--vault")
    options = parser.parse_args()
    try:
        print(json.dumps(stored_archive(options.data, options.archive_id, options.vault)))
    except (LookupError, ValueError, OSError, sqlite3.Error) as error:
        sys.exit(f"stored_archive: {error}")


if __name__ == "__main__":
    main()
