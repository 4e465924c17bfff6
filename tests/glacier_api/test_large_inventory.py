"""A vault with 1,000,000 archives is listed in flat memory, and described as fast as an empty one."""

import os
import sqlite3
import statistics
import time

from store import Connection
from test_memory import peak_memory
from test_operations import finished

COUNT = int(os.environ.get("ARCHIVES", 1_000_000))
MIB = 1024 * 1024


def fill(data, vault):
    """Writes metadata as if so many archives of one byte had been uploaded; their bytes are of no concern here."""
    database = sqlite3.connect(data / "metadata.sqlite")
    (vault_id,) = database.execute("SELECT id FROM vaults WHERE name = ?", (vault,)).fetchone()
    numbers = range(1, COUNT + 1)
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


def milliseconds(connection, target):
    """The median of a hundred requests."""
    times = []
    for _ in range(100):
        headers = connection.sign("GET", target, {}, b"")
        started = time.perf_counter()
        status, _, _ = connection.send_raw("GET", target, headers)
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200
    return statistics.median(times)


def test_an_inventory_of_a_million_archives_is_streamed(store, glacier, vault):
    glacier.create_vault(vaultName="empty")
    glacier.close()
    assert store.stop() == 0
    fill(store.data, vault)
    store.start()
    glacier, connection = store.boto3(), Connection(store)
    for name, extra in [("empty", {}), (vault, {"InventoryRetrievalParameters": {"Limit": "1"}})]:
        finished(glacier, name, Type="inventory-retrieval", **extra)
    times = {
        (operation, name): milliseconds(connection, f"/-/vaults/{name}{suffix}")
        for operation, suffix in [("DescribeVault", ""), ("ListJobs", "/jobs")]
        for name in ["empty", vault]
    }
    for operation in ["DescribeVault", "ListJobs"]:
        empty, full = times[operation, "empty"], times[operation, vault]
        print(f"{operation}: {full:.2f} ms, {full / empty:.2f} times that of an empty vault")
        assert full < 5

    before, started = peak_memory(store), time.perf_counter()
    job_id = glacier.initiate_job(vaultName=vault, jobParameters={"Type": "inventory-retrieval"})["jobId"]
    while not (job := glacier.describe_job(vaultName=vault, jobId=job_id))["Completed"]:
        time.sleep(0.1)
    made = time.perf_counter() - started
    assert job["StatusCode"] == "Succeeded", job
    length = entries = 0
    for piece in glacier.get_job_output(vaultName=vault, jobId=job_id)["body"].iter_chunks(MIB):
        length += len(piece)
        entries += piece.count(b'"ArchiveDescription"')
    grown = peak_memory(store) - before
    print(f"{length / MIB:.0f} MiB made in {made:.1f} s with {grown / MIB:.1f} MiB more")
    assert length == job["InventorySizeInBytes"]
    assert COUNT - length // MIB <= entries <= COUNT, "but for those that lie across two pieces"
    assert glacier.describe_vault(vaultName=vault)["NumberOfArchives"] == COUNT
    assert grown < 32 * MIB
    glacier.close()
    connection.connection.close()
