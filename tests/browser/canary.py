"""Where every name under `.example` leads in the test browser: a listener that counts callers."""

import socket
from threading import Thread
from typing import Self


class Canary:
    """Answers nothing; whoever connects has left the site."""

    def __enter__(self) -> Self:
        self.heard = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    @property
    def flag(self) -> str:
        """The browser's option that leads all such names here."""
        return f"--host-resolver-rules=MAP *.example 127.0.0.1:{self._socket.getsockname()[1]}"

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.heard += 1
            caller.close()
