"""The inventory of a vault with 1,000,000 archives, and how long DescribeVault and ListJobs take beside an empty one.

`ARCHIVES` sets another number. A table for people, and last one line of JSON.
"""

import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "glacier_api"), str(TESTS / "oracle")]

from large_vault import MIB, fill, take_inventory  # noqa: E402
from store import Connection, Store  # noqa: E402
from test_operations import finished  # noqa: E402

COUNT = int(os.environ.get("ARCHIVES", 1_000_000))
REQUESTS = 200
LIMIT_MS = 5


def milliseconds(connection, target):
    """The median of many requests, signing not counted."""
    times = []
    for _ in range(REQUESTS):
        headers = connection.sign("GET", target, {}, b"")
        started = time.perf_counter()
        status, _, _ = connection.send_raw("GET", target, headers)
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200
    return statistics.median(times)


def main():
    with tempfile.TemporaryDirectory() as folder:
        store = Store(pathlib.Path(folder) / "data")
        glacier = store.boto3()
        for name in ["empty", "full"]:
            glacier.create_vault(vaultName=name)
        glacier.close()
        assert store.stop() == 0
        print(f"writing the metadata of {COUNT:,} archives", flush=True)
        fill(store.data, "full", COUNT)
        store.start()
        glacier, connection = store.boto3(), Connection(store)
        for name in ["empty", "full"]:  # so that each has a job to list
            finished(glacier, name, 600, Type="inventory-retrieval", InventoryRetrievalParameters={"Limit": "1"})
        result = {"bench": "inventory", "archives": COUNT}
        print(f"{'':16} {'empty vault':>12} {'full vault':>12} {'ratio':>8}")
        for operation, suffix in [("DescribeVault", ""), ("ListJobs", "/jobs")]:
            empty, full = (milliseconds(connection, f"/-/vaults/{name}{suffix}") for name in ["empty", "full"])
            print(f"{operation:16} {empty:9.2f} ms {full:9.2f} ms {full / empty:8.2f}")
            result[operation] = {"emptyMs": round(empty, 3), "fullMs": round(full, 3), "ratio": round(full / empty, 2)}
        length, seconds, grown = take_inventory(store, glacier, "full", COUNT)
        print(f"inventory        {length / MIB:.0f} MiB in {seconds:.1f} s with {grown / MIB:.1f} MiB of memory more")
        result["inventory"] = {"mib": round(length / MIB, 1), "seconds": round(seconds, 2), "memoryMib": round(grown / MIB, 1)}
        result["withinLimit"] = all(result[name]["fullMs"] < LIMIT_MS for name in ["DescribeVault", "ListJobs"])
        glacier.close()
        connection.connection.close()
        assert store.stop() == 0
    print(json.dumps(result))
    return 0 if result["withinLimit"] and grown < 32 * MIB else 1


if __name__ == "__main__":
    sys.exit(main())
