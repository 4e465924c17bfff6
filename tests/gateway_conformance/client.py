"""A plain HTTP client that sends exactly what it is told and follows nothing."""

import http.client
import json
import time
import urllib.parse


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {}
        for name, value in headers:
            self.headers[name.lower()] = f"{self.headers[name.lower()]}, {value}" if name.lower() in self.headers else value

    @property
    def json(self):
        """The body, or None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __str__(self):
        return f"{self.status} {self.body[:200].decode('utf-8', 'replace')}"


def send(method, url, headers=None, body=None, host=None):
    """One request, and again where the gateway asks to wait. `host` replaces the Host header."""
    for _ in range(20):
        answer = send_once(method, url, headers, body, host)
        wait = answer.headers.get("retry-after", "")
        if answer.status != 429 or not wait.isdecimal() or int(wait) > 60:
            break
        time.sleep(int(wait))
    return answer


def send_once(method, url, headers, body, host):
    """One request on a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=60)
    try:
        connection.putrequest(
            method, urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, "")), skip_host=True,
            skip_accept_encoding=True,
        )
        connection.putheader("Host", host or parts.netloc)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None or method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders()
        try:
            if body:
                connection.send(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Refused before all was sent; the answer may be there already.
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


class Gateway:
    """The gateway that is asked."""

    def __init__(self, sign_url, headers):
        self.url, self.headers = sign_url, headers

    def post(self, body, headers=None, without=(), host=None):
        """Posts bytes, or anything else as JSON. `headers` are added, and those named in `without` left out."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        sent = {"content-type": "application/json", **self.headers, **(headers or {})}
        sent = {name: value for name, value in sent.items() if name.lower() not in without}
        return send("POST", self.url, sent, body, host)

    def sign(self, *intents, **how):
        """Posts a batch."""
        return self.post({"intents": list(intents)}, **how)

    def resolve(self, url):
        """Where a signed request goes."""
        return urllib.parse.urljoin(self.url, url)
