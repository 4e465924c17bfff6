import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from servers import ANY_RATE, ORIGIN, TOPIC, Gateway  # noqa: E402


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """The real gateway."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), "--sns-topic", TOPIC, "--allow-origin", ORIGIN, *ANY_RATE)
    yield gateway
    gateway.stop()
