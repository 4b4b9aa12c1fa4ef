"""A tiny loopback server: the static folder and one harness page, under the product's policy.

Either of the two defences can be taken away, to see whether the other holds alone.
"""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

from django.conf import settings

from chat.diagrams import POLICY as DIAGRAM_POLICY

CHECKS = Path(__file__).with_name("checks.js")
STATIC = Path(__file__).resolve().parents[2] / "static"
FRAME = """<!doctype html><meta charset="utf-8"><title>Diagram</title>
<script src="/vendor/mermaid.js"></script><script src="/diagrams/frame.js"></script>"""


def policy(directives: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


POLICY = policy(settings.CONTENT_SECURITY_POLICY["DIRECTIVES"])
FRAME_PATH = "/diagram-frame"
HARNESS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Harness</title>
<link rel="icon" href="/img/logo.svg"><link rel="stylesheet" href="/css/tokens.css">
<link rel="stylesheet" href="/css/answer.css">
<body data-katex="/vendor/katex/katex.css"><main id="out"></main>
<script src="/checks.js"></script><script type="module" src="/harness.js"></script></body></html>"""
SCRIPT = """import * as stream from "/js/md-stream.js";
import * as enhance from "/js/enhance.js";
import * as formulas from "/js/formulas.js";
Object.assign(window, stream, enhance, formulas);
document.body.dataset.ready = "yes";"""
SANITISED = "(html) => DOMPurify.sanitize(html, ALLOWED)"
RAW = "(html) => document.createRange().createContextualFragment(html)"


class Handler(SimpleHTTPRequestHandler):
    site: "StaticSite"
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def do_GET(self) -> None:
        made = {
            "/": ("text/html", HARNESS),
            "/harness.js": ("text/javascript", SCRIPT),
            "/checks.js": ("text/javascript", CHECKS.read_text()),
            FRAME_PATH: ("text/html", FRAME),
        }
        if not self.site.is_sanitised:
            source = (STATIC / "js/md-stream.js").read_text()
            assert SANITISED in source
            made["/js/md-stream.js"] = ("text/javascript", source.replace(SANITISED, RAW))
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

    def do_POST(self) -> None:
        """Reports of the policy; the page counts them itself."""
        self.send_response(204)
        self.end_headers()

    def end_headers(self) -> None:
        if self.path == FRAME_PATH:
            self.send_header("Content-Security-Policy", policy(DIAGRAM_POLICY))
        elif self.site.has_policy:
            self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silence: the tests say what went wrong."""


class StaticSite:
    def __init__(self, *, has_policy: bool = True, is_sanitised: bool = True) -> None:
        self.has_policy = has_policy
        self.is_sanitised = is_sanitised

    def __enter__(self) -> Self:
        handler = type("SiteHandler", (Handler,), {"site": self})
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(handler, directory=str(STATIC))
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
