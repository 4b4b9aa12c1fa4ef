"""A proxy that adds a token to what passes: the public suite cannot send one."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PER_HOP = {"connection", "keep-alive", "transfer-encoding"}


class Bearing:
    """`with Bearing(port, key) as its_port`: everything else arrives as it was sent."""

    def __init__(self, port, key):
        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get("Content-Length", 0))
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                upstream.putrequest(
                    self.command, self.path, skip_host=True, skip_accept_encoding=True
                )
                for name, value in self.headers.items():
                    if name.lower() not in PER_HOP:
                        upstream.putheader(name, value)
                upstream.putheader("Authorization", f"Bearer {key}")
                upstream.endheaders(self.rfile.read(length))
                answer = upstream.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in PER_HOP:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                while part := answer.read1(65_536):
                    self.wfile.write(part)
                    self.wfile.flush()
                upstream.close()

            do_GET = do_POST = do_DELETE = do_PUT = do_OPTIONS = handle_any  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self.server.server_port

    def __exit__(self, *_error):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
