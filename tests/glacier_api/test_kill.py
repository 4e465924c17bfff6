"""The process is killed in the middle of parallel uploads: what it acknowledged is there, and nothing else is."""

import http.client
import json
import os
import random
import threading
import time

from store import Connection
from stored_archive import stored_archive, tree_hash

MIB = 1024 * 1024
KILLS = 5
CONNECTIONS = 4


def listed_parts(store, target):
    connection, parts, marker = Connection(store), {}, ""
    while marker is not None:
        page = json.loads(connection.send("GET", f"{target}?marker={marker}")[2])
        parts |= {part["RangeInBytes"]: part["SHA256TreeHash"] for part in page["Parts"]}
        marker = page["Marker"]
    return parts


def test_acknowledged_parts_survive_sigkill(store, glacier, vault):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    delays = random.Random(seed)
    upload_id = glacier.initiate_multipart_upload(vaultName=vault, partSize=str(MIB))["uploadId"]
    target = f"/-/vaults/{vault}/multipart-uploads/{upload_id}"
    sent, acknowledged, numbers, lock = {}, {}, iter(range(10_000)), threading.Lock()

    def send_until_killed():
        connection = Connection(store)
        while True:
            with lock:
                number = next(numbers)
            body = os.urandom(MIB)
            content_range = f"{number * MIB}-{(number + 1) * MIB - 1}"
            sent[content_range] = body
            headers = {"content-range": f"bytes {content_range}/*", "x-amz-sha256-tree-hash": tree_hash(body)}
            try:
                status, _, answer = connection.send("PUT", target, headers, body)
            except (OSError, http.client.HTTPException):
                return
            assert status == 204, answer
            acknowledged[content_range] = headers["x-amz-sha256-tree-hash"]

    for _ in range(KILLS):
        threads = [threading.Thread(target=send_until_killed) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        time.sleep(delays.uniform(0.05, 0.6))
        store.kill()
        for thread in threads:
            thread.join()
        store.start()
        found = listed_parts(store, target)
        assert acknowledged.items() <= found.items(), "an acknowledged part is lost"
        # A part whose acknowledgement was lost may be there too, but never another than was sent.
        assert all(found[content_range] == tree_hash(sent[content_range]) for content_range in found)
        assert len(store.files()) == len(found), "files without metadata were not removed"
    assert acknowledged, "the store was always killed before it acknowledged anything"

    # The kills left gaps. Fill them, and every byte of the archive can be checked by the oracle.
    connection, count = Connection(store), len(sent)
    for content_range in sent.keys() - found.keys():
        headers = {
            "content-range": f"bytes {content_range}/*",
            "x-amz-sha256-tree-hash": tree_hash(sent[content_range]),
        }
        assert connection.send("PUT", target, headers, sent[content_range])[0] == 204
    whole = b"".join(sent[f"{number * MIB}-{(number + 1) * MIB - 1}"] for number in range(count))
    done = store.boto3().complete_multipart_upload(  # a new client: the port is another after each start
        vaultName=vault, uploadId=upload_id, archiveSize=str(len(whole)), checksum=tree_hash(whole)
    )
    store.kill()
    store.start()
    stored = stored_archive(store.data, done["archiveId"], vault)
    assert (stored["size"], stored["tree_hash"]) == (len(whole), tree_hash(whole))
