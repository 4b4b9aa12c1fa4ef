"""Which scripts and styles belong together: pages and sockets of one release say the same word."""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings

MANIFEST = "staticfiles.json"


@cache
def shell_version() -> str:
    """Changes with every file under `static/`; "dev" while they are served unpacked."""
    try:
        packed = (Path(settings.STATIC_ROOT) / MANIFEST).read_bytes()
    except OSError:
        return "dev"
    return hashlib.sha256(packed).hexdigest()[:12]
