"""An inventory is written and sent in memory that does not grow with it; `cargo xtask bench inventory` has a million."""

from large_vault import MIB, fill, take_inventory

COUNT = 100_000


def test_memory_stays_flat_while_an_inventory_is_made_and_sent(store, glacier, vault):
    glacier.close()
    assert store.stop() == 0
    fill(store.data, vault, COUNT)
    store.start()
    glacier = store.boto3()
    finished_size, _, grown = take_inventory(store, glacier, vault, COUNT)
    print(f"{grown / MIB:.1f} MiB more for an inventory of {finished_size / MIB:.1f} MiB")
    assert finished_size > 24 * MIB
    assert grown < 12 * MIB
    glacier.close()
