"""A completed job is announced to a real endpoint, with a signature that somebody else's cryptography confirms."""

import base64
import http.server
import json
import queue
import ssl
import subprocess
import threading

import pytest
import trustme
from store import Store
from test_operations import TOPIC, finished

VERIFY = """
const [pem, text, signature] = process.argv.slice(1);
const crypto = await import("node:crypto");
console.log(crypto.verify(null, Buffer.from(text), pem, Buffer.from(signature, "base64")));
"""


class Endpoint:
    """An endpoint that answers with these statuses and then 200, and what it was sent."""

    def __init__(self, *answers, certificate=None, location=None):
        self.received, self.connections, answers = queue.Queue(), queue.Queue(), iter(answers)
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(next(answers, 200))
                if location:
                    self.send_header("location", location)
                self.end_headers()
                endpoint.received.put((dict(self.headers), json.loads(body)))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                try:
                    connection = super().get_request()
                except OSError as error:  # of the handshake
                    endpoint.connections.put(error)
                    raise
                endpoint.connections.put(None)
                return connection

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def endpoint():
    """An endpoint that is busy at first."""
    endpoint = Endpoint(503)
    yield endpoint
    endpoint.close()


@pytest.fixture
def store(tmp_path, endpoint):
    """A store that knows the endpoint."""
    store = Store(tmp_path / "data", "--topic", f"{TOPIC}=http://127.0.0.1:{endpoint.port}/")
    yield store
    assert store.stop() == 0


def test_a_busy_endpoint_gets_the_message_again_and_can_verify_it(store, endpoint, glacier, vault):
    received = endpoint.received
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


def announced(store):
    """Ends a job that announces itself; gives its description."""
    glacier = store.boto3()
    glacier.create_vault(vaultName="photos")
    job = finished(glacier, "photos", Type="inventory-retrieval", SNSTopic=TOPIC)
    glacier.close()
    return job


def test_a_message_goes_over_tls_to_a_host_that_proves_its_name(tmp_path):
    authority, file = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    endpoint = Endpoint(500, certificate=authority.issue_cert("localhost"))
    options = ["--topic", f"{TOPIC}=https://localhost:{endpoint.port}/hook?a=b", "--topic-ca", file]
    store = Store(tmp_path / "data", *options)
    job = announced(store)
    (_, first), (_, again) = endpoint.received.get(timeout=10), endpoint.received.get(timeout=10)
    assert first == again
    assert json.loads(first["Message"])["JobId"] == job["JobId"]
    assert store.stop() == 0
    endpoint.close()


@pytest.mark.parametrize("why", ["a stranger's certificate", "no public authority", "another name"])
def test_nothing_is_told_to_a_host_that_cannot_prove_its_name(tmp_path, why):
    authority, stranger, file = trustme.CA(), trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    issuer = stranger if why == "a stranger's certificate" else authority
    name = "elsewhere.example" if why == "another name" else "localhost"
    endpoint = Endpoint(certificate=issuer.issue_cert(name))
    trust = [] if why == "no public authority" else ["--topic-ca", file]
    store = Store(tmp_path / "data", "--topic", f"{TOPIC}=https://localhost:{endpoint.port}/", *trust)
    assert announced(store)["StatusCode"] == "Succeeded", "the job does not wait"
    for _ in range(2):  # it is tried again, in case that the endpoint mends its ways
        assert isinstance(endpoint.connections.get(timeout=10), OSError)
    assert endpoint.received.empty()
    assert store.stop() == 0
    endpoint.close()


def test_a_redirect_is_not_followed(tmp_path):
    elsewhere = Endpoint()
    endpoint = Endpoint(307, location=f"http://127.0.0.1:{elsewhere.port}/")
    store = Store(tmp_path / "data", "--topic", f"{TOPIC}=http://127.0.0.1:{endpoint.port}/")
    announced(store)
    (_, first), (_, again) = endpoint.received.get(timeout=10), endpoint.received.get(timeout=10)
    assert first == again, "a redirect is no answer, so it is sent again to where it belongs"
    assert elsewhere.received.empty() and elsewhere.connections.empty()
    assert store.stop() == 0
    for server in [endpoint, elsewhere]:
        server.close()


def test_a_file_of_authorities_that_is_none_ends_the_start(tmp_path):
    file = tmp_path / "authority.pem"
    file.write_text("nothing")
    with pytest.raises(AssertionError, match="there is no certificate in PEM"):
        Store(tmp_path / "data", "--topic-ca", file)
