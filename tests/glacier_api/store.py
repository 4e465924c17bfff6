"""The real store as a process, and a client that sends exactly what a test says."""

import hashlib
import http.client
import os
import pathlib
import re
import signal
import subprocess

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("LOCAL_GLACIER", ROOT / "target/debug/local-glacier"))
ACCESS_KEY_ID = "AKIDOFTHETESTS"
SECRET_ACCESS_KEY = "canary-secret-of-the-tests"
ACCOUNT = "123456789012"
REGION = "us-east-1"
EMPTY = hashlib.sha256(b"").hexdigest()


class Store:
    """One process over one data folder."""

    def __init__(self, data, *options):
        self.data = pathlib.Path(data)
        self.options = ["--job-delay-ms", "50", *options]
        self.log = self.data.with_name(self.data.name + ".log")
        self.start()

    def start(self):
        environment = {
            "LOCAL_GLACIER_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "LOCAL_GLACIER_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "RUST_LOG": "trace",  # so that a secret in any log line is found
        }
        arguments = ["--data", self.data, "--listen", "127.0.0.1:0", "--region", REGION, "--account-id", ACCOUNT]
        arguments += self.options
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BINARY, *arguments], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on http://(127\.0\.0\.1:\d+)\n", line)
        assert found, f"{line!r}, log: {self.log.read_text()}"
        self.authority = found[1]
        self.url = f"http://{self.authority}"

    def kill(self):
        """As a power cut would, as far as a process can tell."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """As an operator would. Gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def boto3(self):
        """An unmodified boto3 client."""
        return boto3.client(
            "glacier",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(retries={"max_attempts": 0}),
        )

    def files(self):
        """Every file that holds bytes of archives."""
        found = [*(self.data / "files").iterdir(), *(self.data / "incoming").iterdir()]
        return sorted((path.name, path.stat().st_size) for path in found)


class Connection:
    """One connection, signing with botocore and sending with http.client."""

    def __init__(self, store, access_key_id=ACCESS_KEY_ID, secret=SECRET_ACCESS_KEY, region=REGION):
        self.store = store
        self.signer = SigV4Auth(Credentials(access_key_id, secret), "glacier", region)
        self.connection = http.client.HTTPConnection(store.authority, timeout=600)

    def sign(self, method, target, headers, body):
        """The headers to send."""
        body_hash = hashlib.sha256(body).hexdigest() if body else EMPTY
        headers = {"x-amz-glacier-version": "2012-06-01", "x-amz-content-sha256": body_hash, **headers}
        request = AWSRequest(method, self.store.url + target, headers, body)
        self.signer.add_auth(request)
        return dict(request.headers)

    def send(self, method, target, headers=None, body=b""):
        """Signs, sends, and reads the whole answer."""
        return self.send_raw(method, target, self.sign(method, target, headers or {}, body), body)

    def send_raw(self, method, target, headers, body=b""):
        """Sends exactly these headers (and Host, and Content-Length)."""
        self.connection.request(method, target, body or None, headers)
        answer = self.connection.getresponse()
        return answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read()
