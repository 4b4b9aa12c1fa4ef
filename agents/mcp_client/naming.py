"""Under which name a tool of a server is called: `server__tool`.

No built-in tool has two underscores in its name, and no server's name has any: a tool can neither
pass for a built-in one nor for another server's.
"""

import hashlib
import re
from urllib.parse import urlsplit

BETWEEN = "__"
LONGEST = 64
LONGEST_SERVER = 20
SERVER = re.compile(r"[a-z0-9](-?[a-z0-9])*")

_MARKED = re.compile(r"_[0-9a-f]{8}$")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


def is_address(url: str) -> bool:
    """Whether it can be taken apart: brackets and ports may be of no address at all."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_of_a_server(name: str) -> bool:
    """Whether this may be the name of a server's tool; no built-in one is called like that."""
    server, between, tool = name.partition(BETWEEN)
    return bool(between and tool and SERVER.fullmatch(server))


def name_of(server: str, tool: str) -> str:
    """At most 64 characters. What had to be changed of a tool's name ends with a mark of the whole,
    so that two of them never become one."""
    room = LONGEST - len(server) - len(BETWEEN)
    plain = _NOT_IN_NAMES.sub("_", tool)
    if plain != tool or len(plain) > room or not plain or _MARKED.search(plain):
        mark = hashlib.sha256(tool.encode(errors="replace")).hexdigest()[:8]
        plain = f"{plain[: room - len(mark) - 1]}_{mark}"
    return f"{server}{BETWEEN}{plain}"
