"""Requests that nobody would think of, and what botocore makes of them."""

import datetime
import hashlib
import urllib.parse
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNRESERVED = "ABCXYZabcxyz0189-._~"
SUB_DELIMITERS = "!$'()*,;:@"
WORDS = ["archives", "vaults", "-", "multipart-uploads", "a b", "%2F", "%41", "%e1%88%b4", "%", "%%", "%zz", "é", "ሴ", "雪", "🗻", "~"]
HOSTS = ["glacier.us-east-1.amazonaws.com", "photos.s3.eu-west-3.amazonaws.com", "localhost:8080", "127.0.0.1:1", "[::1]:9000"]
# Blanks as HTTP knows them; what Unicode calls one is a character like any other to the services.
VALUES = [" ", "  ", "\t", " \t ", ",", ";", '"', "=", "a", "b  c", "%20", "é", "雪", "🗻", "text/plain; charset=utf-8", "0-1048575"]
NAMES = ["content-type", "content-range", "range", "x-amz-glacier-version", "x-amz-archive-description", "x-amz-meta-a", "x-amz-b", "zz"]
METHODS = ["GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH", "M-SEARCH"]
REGIONS = ["us-east-1", "eu-west-3", "cn-north-1", "us-gov-west-1", "garage", "R"]
TIME = "%Y%m%dT%H%M%SZ"
NO_HASH = "UNSIGNED-PAYLOAD"


def pick(random, words, most):
    return "".join(random.choice(words) for _ in range(random.randint(0, most)))


def path_of_a_service(random):
    """With everything that is resolved, dropped or encoded once more."""
    segments = []
    for _ in range(random.randint(0, 6)):
        kind = random.random()
        if kind < 0.2:
            segments.append(random.choice(["", ".", "..", "...", "%2e%2e", "%2E"]))
        elif kind < 0.6:
            segments.append(random.choice(WORDS))
        else:
            segments.append(pick(random, UNRESERVED + SUB_DELIMITERS + "=&+é", 9))
    return "/" + "/".join(segments) + random.choice(["", "", "/"])


def key(random):
    """Of an object: any text, with dots and slashes that mean nothing."""
    return "/".join(
        random.choice(["", ".", "..", pick(random, UNRESERVED + SUB_DELIMITERS + "=&+ %#?[]{}|\\^`\"<>é雪🗻\t\x7f", 12)])
        for _ in range(random.randint(1, 5))
    )


def spelt(random, text, keep):
    """One of the ways to write it in a query."""
    written = []
    for character in text:
        is_plain = character in UNRESERVED or character in keep
        if is_plain and random.random() < 0.9:
            written.append(character)
        else:
            digits = "%02X" if random.random() < 0.7 else "%02x"
            written.extend("%" + digits % byte for byte in character.encode())
    return "".join(written)


def parameters(random, *, repeat):
    alphabet = UNRESERVED + SUB_DELIMITERS + "=&+ %#/?é雪"
    pairs = [(pick(random, alphabet, 6), pick(random, alphabet, 9)) for _ in range(random.choice([0, 0, 1, 2, 3, 5]))]
    pairs += [("marker", random.choice(["arn:aws:glacier:x/y", "a+b", ""]))] * random.choice([0, 0, 1])
    if repeat and pairs:
        pairs += [(random.choice(pairs)[0], pick(random, alphabet, 4)) for _ in range(random.randint(0, 2))]
        return pairs
    return list(dict(pairs).items())


def query(random, pairs):
    """What is sent for these parameters."""
    written = []
    for name, value in pairs:
        name, value = spelt(random, name, "!$'()*,;:@/?"), spelt(random, value, "!$'()*,;:@/?=")
        has_no_sign = name and not value and random.random() < 0.5
        written.append(name if has_no_sign else f"{name}={value}")
    return "&".join(written)


def headers(random):
    """Names in any case, values with any blanks, some of them twice."""
    names = random.sample(NAMES, random.randint(0, 4))
    names += [random.choice(names)] if names and random.random() < 0.2 else []
    case = random.choice([str.lower, str.lower, str.title, str.upper])
    return [(case(name), pick(random, VALUES, 5)) for name in names]


def hashed(data):
    return hashlib.sha256(data).hexdigest()


class Asked:
    """A request, and botocore's canonical form, header and URL of it."""

    def __init__(self, random):
        self.random = random
        self.service = random.choice(["glacier", "s3"])
        self.method = random.choice(METHODS)
        self.raw_path = path_of_a_service(random) if self.service == "glacier" else f"/bucket/{key(random)}"
        # A client of S3 writes a key in the one canonical way: botocore's signature takes the path as it is.
        quoted = urllib.parse.quote(self.raw_path, safe="/-._~")
        self.path = self.raw_path if self.service == "glacier" else quoted
        self.pairs = parameters(random, repeat=True)
        self.query = query(random, self.pairs)
        self.host = random.choice(HOSTS)
        self.body = random.randbytes(random.choice([0, 1, 40]))
        self.region = random.choice(REGIONS)
        self.at = datetime.datetime(1971, 1, 1) + datetime.timedelta(seconds=random.randrange(250_000_000_000))
        token = pick(random, ["AQoD", "/", "+", "=", "x", "YXdz"], 9) or None
        self.credentials = Credentials(pick(random, "AKIDX19", 12) or "A", pick(random, "wJalr/+=é", 40) or "s", token)
        self.headers = headers(random)
        self.expires = random.randint(1, 604_800)
        with mock.patch.object(auth, "get_current_datetime", lambda: self.at):
            self._sign()
            self._presign()

    def _request(self, pairs):
        request = AWSRequest(self.method, f"https://{self.host}{self.path}", data=self.body, params=pairs)
        for name, value in self.headers:
            request.headers[name] = value
        request.headers["host"] = self.host
        return request

    def _sign(self):
        kind = auth.SigV4Auth if self.service == "glacier" else auth.S3SigV4Auth
        self.signer = kind(self.credentials, self.service, self.region)
        request = self._request(self.pairs)
        self.payload = hashed(self.body)
        if self.service == "glacier":
            # S3's class sets it itself.
            self.payload = self.random.choice([self.payload, self.payload, NO_HASH])
            if self.payload == NO_HASH or self.random.random() < 0.5:
                request.headers["X-Amz-Content-SHA256"] = self.payload
        self.signer.add_auth(request)
        self.authorization = request.headers["Authorization"]
        del request.headers["Authorization"]
        self.canonical = self.signer.canonical_request(request)
        self.signed_headers = [(name.lower(), value) for name, value in request.headers.items()]

    def _presign(self):
        kind = auth.SigV4QueryAuth if self.service == "glacier" else auth.S3SigV4QueryAuth
        signer = kind(self.credentials, self.service, self.region, self.expires)
        # It cannot say a parameter twice.
        self.once = parameters(self.random, repeat=False)
        request = self._request(self.once)
        # In data, a body would become parameters.
        request.data = b""
        self.presigned_payload = hashed(b"") if self.service == "glacier" else NO_HASH
        self.presigned_headers = [(name.lower(), value) for name, value in request.headers.items()]
        signer.add_auth(request)
        self.presigned = urllib.parse.urlsplit(request.url).query

    def received(self, **changes):
        """What a server gets, at some time in the window."""
        moment = self.at + datetime.timedelta(seconds=self.random.randint(-300, 300))
        unsigned = [("authorization", self.authorization), ("user-agent", "x"), ("accept", "*/*")]
        request = {
            "method": self.method, "path": self.path, "query": self.query, "payload": self.payload,
            "headers": [*self.signed_headers, *unsigned], "now": moment.strftime(TIME),
        }
        return request | changes

    def canonical_with(self, *, path=None, pairs=None, headers=None):
        """Botocore's canonical request where that differs from what was signed."""
        url = f"https://{self.host}{path or self.path}"
        request = AWSRequest(self.method, url, data=self.body, params=pairs or self.pairs)
        for name, value in headers or self.signed_headers:
            request.headers[name] = value
        return self.signer.canonical_request(request)
