"""The real gateway as a process, and a page that does what the browser package does, in a few lines of Python."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GLACIER_UPLOAD_SERVER", ROOT / "target/debug/glacier-upload-server"))
ORIGIN = "https://app.example.com"
PART = 8 << 20


def b64(digest):
    return base64.b64encode(digest).decode()


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(data):
    """By the definition: SHA-256 of each MiB, then of neighbours, until one is left."""
    level = [sha256(data[at : at + (1 << 20)]) for at in range(0, len(data), 1 << 20)] or [sha256(b"")]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [sha256(b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()


def composite(parts):
    """As S3 documents it: SHA-256 over the parts' SHA-256, and how many."""
    return f"{b64(sha256(b''.join(sha256(part) for part in parts)))}-{len(parts)}"


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body[:600]!r}")
        self.status, self.body = status, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]


# By host and port, those that run.
RUNNING = {}


def send(url, method, headers=None, body=b""):
    """Sends exactly this. Gives status, headers and body, whatever they are."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body if body or method in ("PUT", "POST") else None, headers or {})
        answer = connection.getresponse()
        status, headers, body = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        if parts.netloc in RUNNING:
            RUNNING[parts.netloc].told.append(f"{headers} ".encode() + body)
        return status, headers, body
    finally:
        connection.close()


class Gateway:
    """One process before one store."""

    def __init__(self, folder, store, *options, buckets=("photos",), key=None, token_key=None, session_token=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        (self.folder / "page").mkdir()
        (self.folder / "page/index.html").write_text("<!doctype html>")
        self.key = token_key or secrets.token_bytes(32)
        self.secret = key or store.secret_access_key
        self.region, self.session_token = store.region, session_token
        # What it answered, and what it must tell nobody.
        self.told, self.tokens = [], []
        environment = {
            "PATH": os.environ["PATH"],
            "GLACIER_UPLOAD_TOKEN_KEY": self.key.hex(),
            "AWS_ACCESS_KEY_ID": store.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "RUST_LOG": "trace",  # so that a secret in any log line is found
        }
        if session_token:
            environment["AWS_SESSION_TOKEN"] = session_token
        arguments = ["--data", self.folder / "data", "--listen", "127.0.0.1:0", "--page", self.folder / "page"]
        arguments += ["--metrics-listen", "127.0.0.1:0"]
        arguments += ["--allow-origin", ORIGIN, "--s3-endpoint", store.url, "--s3-region", store.region]
        for bucket in buckets:
            arguments += ["--bucket", bucket]
        self.log = self.folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BINARY, *arguments, *options], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        lines = self.process.stdout.readline() + self.process.stdout.readline()
        found = re.fullmatch(r"metrics on (http://\S+)\nlistening on (http://(127\.0\.0\.1:\d+))\n", lines)
        assert found, f"{lines!r}, log: {self.log.read_text()[-2000:]}"
        self.metrics, self.url, self.address = found.groups()
        RUNNING[self.address] = self

    def stop(self):
        for path in ("/", "/healthz", "/readyz", "/none", "/v1/none"):
            send(self.url + path, "GET")
        metrics = send(self.metrics, "GET")
        assert metrics[0] == 200 and b"glacier_upload_requests_total" in metrics[2]
        del RUNNING[self.address]
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0
        written = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        log = written[self.log]
        assert log.count(b'"answered"') >= 5, "the log has more than nothing to search"
        for signature in (b"X-Amz-Signature", b"Signature=", b"panicked"):
            assert signature not in log, signature
        told = {f"answer {nth}": answer for nth, answer in enumerate([metrics[2], *self.told])}
        for secret in self.secrets():
            for where, text in {**written, **told}.items():
                assert secret not in text, f"{where} has {secret}"
        # Those who have them sent them.
        for mine in [*self.tokens, *([self.session_token] if self.session_token else [])]:
            assert mine.encode() not in log + metrics[2], mine

    def secrets(self):
        """The keys, what is made of them on the way to a signature, and the forms in which they may be printed."""
        keys = [self.key]
        # Test stores have short secrets that are words.
        if len(self.secret) >= 20:
            keys.append(self.secret.encode())
            now = time.time()
            for day in {time.strftime("%Y%m%d", time.gmtime(now - ago)) for ago in (0, 3600)}:
                key = f"AWS4{self.secret}".encode()
                for text in (day, self.region, "s3", "aws4_request"):
                    key = hmac.new(key, text.encode(), hashlib.sha256).digest()
                    keys.append(key)
        for key in keys:
            yield from (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"="))
            yield from (base64.urlsafe_b64encode(key).rstrip(b"="), str(list(key)).encode())

    def token(self, **claims):
        """A token as any back end that shares the key makes it."""
        now = int(time.time())
        usual = {
            "sub": "anna",
            "objects": ["photos/"],
            "ops": ["upload", "read", "delete"],
            "maxArchiveBytes": 2**46,
            "iat": now,
            "exp": now + 600,
        }
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()  # noqa: E731
        header = b'{"alg":"HS256","typ":"JWT"}'
        signed = f"{encode(header)}.{encode(json.dumps({**usual, **claims}).encode())}"
        self.tokens.append(f"{signed}.{encode(hmac.new(self.key, signed.encode(), hashlib.sha256).digest())}")
        return self.tokens[-1]

    def page(self, origin=ORIGIN, **claims):
        return Page(self, self.token(**claims), origin)


class Page:
    """Asks for signatures and uses them as a browser would: of its own it sets nothing but the body."""

    def __init__(self, gateway, token, origin):
        self.gateway, self.token, self.origin = gateway, token, origin

    def sign_many(self, *intents):
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        if self.origin:
            headers["origin"] = self.origin
        body = json.dumps({"intents": intents}).encode()
        status, _, answer = send(self.gateway.url + "/v1/sign", "POST", headers, body)
        if status != 200:
            raise Refused(status, answer)
        return json.loads(answer)["requests"]

    def sign(self, op, **fields):
        return self.sign_many({"op": f"s3:{op}", **fields})[0]

    def use(self, signed, body=b""):
        """Sends a signed request as it is."""
        url = urllib.parse.urljoin(self.gateway.url, signed["url"])
        headers = dict(signed["headers"])
        if self.origin:
            headers["origin"] = self.origin
        return send(url, signed["method"], headers, signed.get("body", "").encode() or body)

    def do(self, op, body=b"", **fields):
        """Signs and sends. Gives the answer's JSON, or its headers and bytes where it is the store's."""
        signed = self.sign(op, **fields)
        status, headers, answer = self.use(signed, body)
        if status not in (200, 201, 202, 204, 206):
            raise Refused(status, answer)
        if signed["url"].startswith("/"):
            return json.loads(answer) if answer else None
        return headers, answer

    def create(self, key, data, part_size=PART, **more):
        fields = {"storageClass": "GLACIER", "size": len(data), "partSize": part_size, **more}
        return self.do("CreateMultipartUpload", bucket="photos", key=key, **fields)["upload"]

    def send_part(self, upload, number, part, **more):
        """The store's answer to the part's bytes."""
        return self.do("UploadPart", part, upload=upload, partNumber=number, payloadHash=sha256(part).hex(), **more)

    def complete(self, upload, data, part_size=PART, **more):
        fields = {"size": len(data), "checksum": composite(split(data, part_size)), "treeHash": tree_hash(data)}
        return self.do("CompleteMultipartUpload", upload=upload, **{**fields, **more})

    def upload(self, key, data, part_size=PART, **more):
        upload = self.create(key, data, part_size, **more)
        for number, part in enumerate(split(data, part_size), 1):
            headers, _ = self.send_part(upload, number, part)
            assert headers["x-amz-checksum-sha256"] == b64(sha256(part))
        return self.complete(upload, data, part_size)

    def put(self, key, data, **more):
        fields = {
            "size": len(data),
            "payloadHash": sha256(data).hex(),
            "treeHash": tree_hash(data),
            "storageClass": "GLACIER",
            **more,
        }
        return self.do("PutObject", data, key=key, **{"bucket": "photos", **fields})


def split(data, size=PART):
    return [data[at : at + size] for at in range(0, len(data), size)] or [b""]


def refused(call):
    """What `call` is refused with."""
    try:
        result = call()
    except Refused as error:
        return error
    raise AssertionError(f"not refused: {str(result)[:300]}")
