"""The wire between a page and its socket: cut, mended, closed with a code, its frames rewritten."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocketRoute


class Cable:
    """Lay it before the page is loaded. While it is cut, every attempt to connect fails."""

    def __init__(self, page: Page, rewrite: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.connections: list[WebSocketRoute] = []
        self._is_cut = False
        self._rewrite = rewrite
        page.route_web_socket(re.compile("/ws/$"), self._relay)

    def cut(self, code: int = 1006) -> None:
        self._is_cut = True
        self.drop(code)

    def mend(self) -> None:
        self._is_cut = False

    def drop(self, code: int) -> None:
        """What is open is closed; the next attempt finds whatever is there then."""
        for connection in self.connections:
            connection.close(code=code if code != 1006 else 3000)
        self.connections.clear()

    def say(self, frame: dict[str, Any]) -> None:
        """To the page, as if it came from the server."""
        self.connections[-1].send(json.dumps(frame))

    def _relay(self, ws: WebSocketRoute) -> None:
        if self._is_cut:
            ws.close(code=3000)
            return
        self.connections.append(ws)
        server = ws.connect_to_server()
        if self._rewrite is not None:
            server.on_message(lambda message: ws.send(self._rewritten(message)))

    def _rewritten(self, message: str | bytes) -> str:
        frame = json.loads(message)
        assert self._rewrite is not None
        self._rewrite(frame)
        return json.dumps(frame)
