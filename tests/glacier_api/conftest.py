import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "oracle"))

from store import SECRET_ACCESS_KEY, Connection, Store  # noqa: E402


@pytest.fixture
def store(tmp_path):
    """A store of its own for each test. Its log, at the most talkative level, must not hold a secret."""
    store = Store(tmp_path / "data")
    yield store
    if store.process.poll() is None:
        assert store.stop() == 0
    log = store.log.read_text()
    assert SECRET_ACCESS_KEY not in log and "Signature=" not in log and "panicked" not in log


@pytest.fixture
def glacier(store):
    """An unmodified boto3 client."""
    client = store.boto3()
    yield client
    client.close()  # a server that shuts down waits a moment for open connections


@pytest.fixture
def connection(store):
    """A client that sends exactly what it is told."""
    connection = Connection(store)
    yield connection
    connection.connection.close()


@pytest.fixture
def vault(glacier):
    """The name of an empty vault."""
    glacier.create_vault(vaultName="photos")
    return "photos"
