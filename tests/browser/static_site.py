"""A tiny loopback server: the static folder and one harness page, under a strict policy."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

STATIC = Path(__file__).resolve().parents[2] / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
HARNESS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Harness</title>
<link rel="icon" href="/img/logo.svg"><link rel="stylesheet" href="/css/answer.css">
<body data-katex="/vendor/katex/katex.css"><main id="out"></main>
<script type="module" src="/harness.js"></script></body></html>"""
SCRIPT = """import * as stream from "/js/md-stream.js";
import * as enhance from "/js/enhance.js";
Object.assign(window, stream, enhance);
document.body.dataset.ready = "yes";"""


class Handler(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def do_GET(self) -> None:
        made = {"/": ("text/html", HARNESS), "/harness.js": ("text/javascript", SCRIPT)}
        if self.path not in made:
            super().do_GET()
            return
        kind, text = made[self.path]
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silence: the tests say what went wrong."""


class StaticSite:
    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=str(STATIC))
        )
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
