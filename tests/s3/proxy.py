"""Between gateway and store: passes everything on, unless a test says otherwise."""

import contextlib
import http.client
import http.server
import threading
import urllib.parse


class Proxy:
    """`store` at another address. `spoil(method, target, answer)` may change an answer, or give None: then the
    connection ends without one, although the store has done what it was asked. `instead(method, target, body)` may give
    an answer of its own, and the store hears nothing."""

    def __init__(self, store):
        self.store, self.spoil = store, lambda method, target, answer: answer
        self.instead = lambda method, target, body: None
        self.seen = []
        upstream, proxy = urllib.parse.urlsplit(store.url).netloc, self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_all(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                proxy.seen.append((self.command, self.path))
                answer = proxy.instead(self.command, self.path, body)
                self.close_connection = True
                self.give(proxy.spoil(self.command, self.path, answer or self.ask(body)))

            def ask(self, body):
                connection = http.client.HTTPConnection(upstream, timeout=60)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                answer = answer.status, answer.getheaders(), answer.read()
                connection.close()
                return answer

            def give(self, answer):
                if answer is None:
                    return
                status, headers, body = answer
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                length = next((value for name, value in headers if name.lower() == "content-length"), len(body))
                self.send_header("content-length", length if self.command == "HEAD" else len(body))
                self.send_header("connection", "close")
                self.end_headers()
                with contextlib.suppress(OSError):  # who hears nonsense may hang up
                    self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = handle_all

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    # What a gateway asks of a store.
    name = property(lambda self: self.store.name)
    region = property(lambda self: self.store.region)
    access_key_id = property(lambda self: self.store.access_key_id)
    secret_access_key = property(lambda self: self.store.secret_access_key)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
