"""Keys that a fresh installation makes for itself, once, readable by its owner only."""

import os
import secrets
from pathlib import Path


def read_or_create_key(path: Path) -> str:
    """The key in `path`; a new random one (256 bits, URL-safe) is stored there first if missing.

    Two processes that start at once agree: the file is linked into place complete, or not at all.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
