"""A vault with very many archives, and a look at what listing them takes."""

import sqlite3
import time

from test_memory import peak_memory
from test_operations import finished

MIB = 1024 * 1024


def fill(data, vault, count):
    """Writes metadata as if so many archives of one byte had been uploaded; their bytes are of no concern here.

    The store that owns the data must not run."""
    database = sqlite3.connect(data / "metadata.sqlite")
    (vault_id,) = database.execute("SELECT id FROM vaults WHERE name = ?", (vault,)).fetchone()
    numbers = range(1, count + 1)
    database.executemany("INSERT INTO contents (id) VALUES (?)", ((number,) for number in numbers))
    first = 1_767_268_800_000
    rows = ((f"{n:0138}", vault_id, n, f"file {n}.tar", first + n, bytes(32)) for n in numbers)
    database.executemany(
        "INSERT INTO archives (archive_id, vault, content, description, created, size, tree_hash) "
        "VALUES (?, ?, ?, ?, ?, 1, ?)",
        rows,
    )
    database.commit()
    database.close()


def take_inventory(store, glacier, vault, count):
    """Makes the inventory and reads it whole; gives its bytes, the seconds until it was made, and the bytes of memory
    that the store needed more than ever before."""
    before, started = peak_memory(store), time.perf_counter()
    job = finished(glacier, vault, 600, Type="inventory-retrieval")
    seconds = time.perf_counter() - started
    assert job["StatusCode"] == "Succeeded", job
    length = entries = 0
    tail = b""
    for piece in glacier.get_job_output(vaultName=vault, jobId=job["JobId"])["body"].iter_chunks(MIB):
        length += len(piece)
        entries += (tail + piece).count(b'"ArchiveId"')
        tail = piece[-len(b'"ArchiveId"') + 1 :]
    assert (length, entries) == (job["InventorySizeInBytes"], count)
    assert glacier.describe_vault(vaultName=vault)["NumberOfArchives"] == count
    return length, seconds, peak_memory(store) - before
