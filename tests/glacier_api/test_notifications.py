"""A completed job is announced to a real endpoint, with a signature that somebody else's cryptography confirms."""

import base64
import http.server
import json
import queue
import subprocess
import threading

import pytest
from store import Store
from test_operations import TOPIC, finished

VERIFY = """
const [pem, text, signature] = process.argv.slice(1);
const crypto = await import("node:crypto");
console.log(crypto.verify(null, Buffer.from(text), pem, Buffer.from(signature, "base64")));
"""


@pytest.fixture
def endpoint():
    """An endpoint that is busy at first, and the bodies it was sent."""
    received, answers = queue.Queue(), iter([503])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(next(answers, 200))
            self.end_headers()
            received.put((dict(self.headers), json.loads(body)))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()


@pytest.fixture
def store(tmp_path, endpoint):
    """A store that knows the endpoint."""
    store = Store(tmp_path / "data", "--topic", f"{TOPIC}={endpoint[0]}")
    yield store
    assert store.stop() == 0


def test_a_busy_endpoint_gets_the_message_again_and_can_verify_it(store, endpoint, glacier, vault):
    _, received = endpoint
    job = finished(glacier, vault, Type="inventory-retrieval", SNSTopic=TOPIC)
    (headers, first), (_, again) = received.get(timeout=10), received.get(timeout=10)
    assert again == first
    assert (headers["x-amz-sns-message-type"], first["TopicArn"]) == ("Notification", TOPIC)
    told = json.loads(first["Message"])
    for name in ["JobId", "Action", "VaultARN", "CompletionDate", "StatusCode", "InventorySizeInBytes", "SNSTopic"]:
        assert told[name] == job[name]

    pem = (store.data / "notification-key.pem").read_text()
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    text = "".join(f"{name}\n{first[name]}\n" for name in names)
    for signed, genuine in [(text, "true"), (text.replace("Succeeded", "Failed"), "false")]:
        command = ["node", "--input-type=module", "-e", VERIFY, "--", pem, signed, first["Signature"]]
        assert subprocess.check_output(command, text=True).strip() == genuine
    assert base64.b64decode(first["SigningKey"]) in base64.b64decode("".join(pem.splitlines()[1:-1]))
