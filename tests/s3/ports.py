"""Ports of this machine for servers that cannot choose one themselves."""

import socket
import time


def free():
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait(address, process, log, seconds=120):
    """Returns once `process` answers at `address`."""
    host, port = address.split(":")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"ended with {process.returncode}: {log.read_text()[-2000:]}"
        with socket.socket() as client:
            if client.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody answers at {address}: {log.read_text()[-2000:]}")
