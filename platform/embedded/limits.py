"""How much patience, memory and disk one connection may cost the web process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes. Tests use smaller ones; `serve` takes the size of bodies from settings."""

    body_bytes: int
    header_seconds: float = 15  # from the first byte of a request to the end of its headers
    body_seconds: float = 20  # in each such while a body must bring …
    body_pace: int = 20_000  # … so many bytes: slower than 1 KB/s is nobody's upload
    idle_seconds: float = 60  # between two requests of one connection
    unread_seconds: float = 30  # a client that leaves 64 KB unread so long is cut off
    response_seconds: float = 600  # an event stream that lives longer is ended; its client resumes
    left_seconds: float = 5  # an application whose client has gone has so long to notice
    handshake_seconds: float = 60  # thousands come back at once after a restart and stand in line
    message_bytes: int = 256 * 1024  # of a socket, in one frame or several
    messages_waiting: int = 4  # read ahead of what the application has taken from a socket
