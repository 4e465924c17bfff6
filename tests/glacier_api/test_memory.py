"""A large body goes to the disk, or comes from it, and not into memory."""

import hashlib
import pathlib
import re
import time

from store import Connection
from stored_archive import stored_archive, tree_hash_of_leaves
from test_operations import finished

MIB = 1024 * 1024
SIZE = 256 * MIB


def peak_memory(store):
    """Most bytes of memory the process ever had."""
    status = pathlib.Path(f"/proc/{store.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def test_memory_stays_flat_while_a_large_archive_arrives_and_leaves_again(store, glacier, vault, tmp_path):
    source, whole, leaves = tmp_path / "source", hashlib.sha256(), []
    with source.open("wb") as file:
        for number in range(SIZE // MIB):
            piece = bytes([number % 251]) * MIB
            file.write(piece)
            whole.update(piece)
            leaves.append(hashlib.sha256(piece).digest())
    tree = tree_hash_of_leaves(leaves)
    headers = {
        "x-amz-content-sha256": whole.hexdigest(),
        "x-amz-sha256-tree-hash": tree,
        "content-length": str(SIZE),
    }
    target, connection = f"/-/vaults/{vault}/archives", Connection(store)
    signed = connection.sign("POST", target, headers, b"")
    before = peak_memory(store)
    with source.open("rb") as body:
        status, answer, _ = connection.send_raw("POST", target, signed, body)
    assert status == 201 and answer["x-amz-sha256-tree-hash"] == tree
    grown = peak_memory(store) - before
    print(f"{grown / MIB:.1f} MiB more for a body of {SIZE // MIB} MiB")
    assert grown < 16 * MIB
    archive_id = answer["x-amz-archive-id"]
    assert stored_archive(store.data, archive_id, vault)["sha256"] == whole.hexdigest()

    job = finished(glacier, vault, Type="archive-retrieval", ArchiveId=archive_id)
    before, got = peak_memory(store), hashlib.sha256()
    output = glacier.get_job_output(vaultName=vault, jobId=job["JobId"])
    for number, piece in enumerate(output["body"].iter_chunks(MIB)):
        got.update(piece)
        if number == 8:
            time.sleep(2)  # a slow client slows the store down
    assert (got.hexdigest(), output["checksum"]) == (whole.hexdigest(), tree)
    grown = peak_memory(store) - before
    print(f"{grown / MIB:.1f} MiB more for an output of {SIZE // MIB} MiB")
    assert grown < 8 * MIB
