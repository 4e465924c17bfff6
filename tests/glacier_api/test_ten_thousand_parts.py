"""The largest number of parts there can be, with real parts of 1 MiB over eight connections."""

import hashlib
import json
import threading
import time

from store import Connection
from stored_archive import segments, tree_hash, tree_hash_of_leaves

MIB = 1024 * 1024
PARTS = 10_000
CONNECTIONS = 8


def test_ten_thousand_parts_are_kept_listed_and_completed(store, glacier, vault):
    body = bytes(range(256)) * (MIB // 256)
    hashes = {"x-amz-sha256-tree-hash": tree_hash(body), "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    upload_id = glacier.initiate_multipart_upload(vaultName=vault, partSize=str(MIB))["uploadId"]
    target = f"/-/vaults/{vault}/multipart-uploads/{upload_id}"
    failures = []

    def send_every_eighth(first):
        connection = Connection(store)
        for number in range(first, PARTS, CONNECTIONS):
            content_range = f"bytes {number * MIB}-{(number + 1) * MIB - 1}/*"
            status, _, answer = connection.send("PUT", target, {**hashes, "content-range": content_range}, body)
            if status != 204:
                failures.append((number, status, answer))
                return

    started = time.monotonic()
    threads = [threading.Thread(target=send_every_eighth, args=(first,)) for first in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    uploaded = time.monotonic()
    assert failures == []

    connection, pages, ranges, marker = Connection(store), 0, [], ""
    while marker is not None:
        _, _, answer = connection.send("GET", f"{target}?marker={marker}")
        page = json.loads(answer)
        ranges += [part["RangeInBytes"] for part in page["Parts"]]
        pages, marker = pages + 1, page["Marker"]
    assert pages == 200
    assert ranges == [f"{number * MIB}-{(number + 1) * MIB - 1}" for number in range(PARTS)]
    listed = time.monotonic()

    root = tree_hash_of_leaves([hashlib.sha256(body).digest()] * PARTS)
    done = glacier.complete_multipart_upload(
        vaultName=vault, uploadId=upload_id, archiveSize=str(PARTS * MIB), checksum=root
    )
    completed = time.monotonic()
    assert done["checksum"] == root
    files, _ = segments(store.data, done["archiveId"], vault)
    assert len(files) == PARTS and all(path.stat().st_size == length == MIB for path, length in files)
    for path, _ in files[:: PARTS // 20]:
        assert path.read_bytes() == body
    assert glacier.describe_vault(vaultName=vault)["SizeInBytes"] == PARTS * MIB

    store.stop()
    restarting = time.monotonic()
    store.start()
    restarted = time.monotonic()
    assert Connection(store).send("DELETE", f"/-/vaults/{vault}/archives/{done['archiveId']}")[0] == 204
    deleted = time.monotonic()
    while any((store.data / "files").iterdir()):  # the disk takes its time over ten thousand files, and the answer does not wait for it
        assert time.monotonic() < deleted + 120
        time.sleep(0.2)
    print(
        f"\n{PARTS} parts: {uploaded - started:.1f} s sent, {listed - uploaded:.1f} s listed, "
        f"{completed - listed:.2f} s completed, {restarted - restarting:.2f} s restarted, {deleted - restarted:.2f} s deleted"
    )
