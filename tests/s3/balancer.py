"""Before several gateways: each connection goes to the next one that answers, as a load balancer in TCP has it."""

import collections
import contextlib
import itertools
import socket
import threading


class Balancer:
    """A round robin. `taken` counts the connections that each gateway has had."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self.gateways, self.turn, self.taken = [], itertools.count(), collections.Counter()

    def start(self, gateways):
        self.gateways = gateways
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(ConnectionRefusedError):
                # Each request of the tests is a connection of its own, so that this is a turn for each request.
                self.join(client, self.connect())

    def connect(self):
        for _ in self.gateways:
            gateway = self.gateways[next(self.turn) % len(self.gateways)]
            with contextlib.suppress(ConnectionRefusedError):
                host, port = gateway.address.split(":")
                upstream = socket.create_connection((host, int(port)))
                self.taken[gateway] += 1
                return upstream
        raise ConnectionRefusedError

    def join(self, client, upstream):
        for here, there in [(client, upstream), (upstream, client)]:
            threading.Thread(target=self.copy, args=(here, there), daemon=True).start()

    def copy(self, here, there):
        with contextlib.suppress(OSError):
            while data := here.recv(1 << 16):
                there.sendall(data)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_WR)

    def stop(self):
        self.listener.close()
