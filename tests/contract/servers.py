"""The real gateway and other back ends as processes, and tokens made as any back end makes them."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import secrets
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = pathlib.Path(os.environ.get("GLACIER_UPLOAD_SERVER", ROOT / "target/debug/glacier-upload-server"))
STORE = pathlib.Path(os.environ.get("LOCAL_GLACIER", ROOT / "target/debug/local-glacier"))
VAULT = "photos"
# Thousands of requests in seconds are what the tests are for.
ANY_RATE = ["--subject-rate", "0", "--anonymous-rate", "0", "--miss-rate", "0"]
TOPIC = "arn:aws:sns:us-east-1:123456789012:jobs"
ORIGIN = "https://app.example"


class Process:
    """A server that says where it listens."""

    def __init__(self, arguments, environment, log):
        self.log = log
        environment = {"PATH": os.environ["PATH"], "RUST_LOG": "debug", **environment}
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
        assert found, f"{line!r}, log: {log.read_text()}"
        self.url = found[1]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        assert "panicked" not in self.log.read_text()


def token(key, **claims):
    """A token as docs/tokens.md says. `claims` replace the usual ones."""

    def text(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    now = int(time.time())
    usual = {"sub": "test", "vaults": [VAULT], "ops": ["upload"], "maxArchiveBytes": 1 << 50, "iat": now, "exp": now + 3600}
    header = text(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{header}.{text(json.dumps(usual | claims).encode())}"
    return f"{signed}.{text(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def expired_token(key):
    now = int(time.time())
    return token(key, iat=now - 7200, exp=now - 3600)


class Gateway(Process):
    """The gateway with its embedded store."""

    def __init__(self, folder, *options):
        self.key = secrets.token_bytes(32)
        page = folder / "page"
        page.mkdir()
        (page / "index.html").write_text("<!doctype html>")
        arguments = [SERVER, "--data", folder / "data", "--listen", "127.0.0.1:0", "--page", page, "--vault", VAULT]
        environment = {"GLACIER_UPLOAD_TOKEN_KEY": self.key.hex()}
        super().__init__([*arguments, *options], environment, folder / "gateway.log")
        self.sign_url = f"{self.url}/v1/sign"
        # Made by the gateway on first start: an access key ID and a secret, a line each.
        self.access_key_id, self.secret = (folder / "data/store-credentials").read_text().split()
