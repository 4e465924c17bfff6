"""Writes archives into a store's database as if they had been uploaded, with descriptions that are hard to write down;
prints what the database then has, in the order of an inventory, as JSON. The store that owns the data must not run.

Usage: python3 many_archives.py DATA VAULT COUNT
"""

import hashlib
import json
import random
import sqlite3
import sys
from pathlib import Path

HARD = ["", ",", '"', "\\", '\\"', '","', '\\\\",', "a,b,c", '"quoted"', "ends with \\", "{}[]:", "  ", "<GlacierJobOutput/>"]

data, vault, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chance = random.Random(3)
database = sqlite3.connect(data / "metadata.sqlite")
(vault_id,) = database.execute("SELECT id FROM vaults WHERE name = ?", (vault,)).fetchone()


def description(number):
    if number % 11 == 0:
        return None
    if number % 997 == 0:
        return "".join(chance.choices([chr(code) for code in range(0x20, 0x7F)], k=1024))
    return "".join(chance.choices([*HARD, f"file {number}.tar"], k=chance.randrange(1, 5)))


def archive(number):
    # Several in a millisecond, and not in the order of their rows.
    created = 1_767_268_800_000 + (number * 7919 % count) // 3 * 1009
    archive_id = hashlib.sha512(str(number).encode()).hexdigest() + f"-{number:09}"
    size = chance.randrange(1, 1 << chance.randrange(1, 45))
    return (archive_id, vault_id, number, description(number), created, size, hashlib.sha256(archive_id.encode()).digest())


numbers = range(1, count + 1)
database.executemany("INSERT INTO contents (id) VALUES (?)", ((number,) for number in numbers))
database.executemany(
    "INSERT INTO archives (archive_id, vault, content, description, created, size, tree_hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    map(archive, numbers),
)
database.commit()
stored = database.execute(
    "SELECT archive_id, coalesce(description, ''), created, size, lower(hex(tree_hash)) FROM archives WHERE vault = ? "
    "ORDER BY created, rowid",
    (vault_id,),
)
json.dump(stored.fetchall(), sys.stdout)
