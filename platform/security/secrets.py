"""Secrets at rest: AES-256-GCM, bound to the row that holds them.

A sealed secret is `version (1 byte) · key id (4) · nonce (12) · ciphertext and tag`. The context
(the identity of the row, `endpoint:<id>`) is associated data, so a ciphertext that is changed by
one bit or copied into another row does not open. The first key seals; every key opens.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from security.keys import read_or_create_key

VERSION = b"\x01"
KEY_ID = slice(1, 5)
NONCE = slice(5, 17)
CIPHERTEXT = slice(17, None)
SHORTEST_KEY = 32  # characters
SHOWN = 4  # characters of a secret that may ever be displayed


class SecretUnreadable(Exception):
    """The stored secret was changed, moved to another row, or sealed with a key that is gone."""


def seal(plaintext: str, context: str) -> bytes:
    """Encrypt for one row. The same plaintext seals differently every time."""
    key_id, cipher = next(iter(_keys().items()))
    nonce = os.urandom(12)
    header = VERSION + key_id + nonce
    return header + cipher.encrypt(nonce, plaintext.encode(), _associated(header, context))


def open_(sealed: bytes, context: str) -> str:
    """The plaintext; SecretUnreadable unless every byte and the context are as they were sealed."""
    sealed = bytes(sealed)
    cipher = _keys().get(sealed[KEY_ID])
    if sealed[:1] != VERSION or cipher is None:
        raise SecretUnreadable("The stored secret was sealed with a key this installation lacks.")
    try:
        associated = _associated(sealed[: NONCE.stop], context)
        return cipher.decrypt(sealed[NONCE], sealed[CIPHERTEXT], associated).decode()
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable(
            "The stored secret was altered or belongs to another row."
        ) from error


def is_current(sealed: bytes) -> bool:
    """Whether the newest key sealed it; otherwise rotation has to seal it again."""
    return bytes(sealed)[KEY_ID] == next(iter(_keys()))


def held_key_ids() -> set[str]:
    """The ids, in hex, of all keys that open something here. Unlike sealing, it makes none."""
    is_there = settings.PARLEY_SECRET_KEYS or (settings.PARLEY_HOME.keys / "secrets.key").exists()
    return {key_id.hex() for key_id in _keys()} if is_there else set()


def hint(plaintext: str) -> str:
    """What a person may see of a secret: its last four characters, none of a short one."""
    return f"…{plaintext[-SHOWN:]}" if len(plaintext) >= 4 * SHOWN else "…" if plaintext else ""


def _associated(header: bytes, context: str) -> bytes:
    return header + context.encode()


def _keys() -> dict[bytes, AESGCM]:
    return _load_keys(tuple(settings.PARLEY_SECRET_KEYS), settings.PARLEY_HOME.keys / "secrets.key")


@lru_cache(maxsize=4)
def _load_keys(configured: tuple[str, ...], path: Path) -> dict[bytes, AESGCM]:
    """Ciphers by key id, the sealing one first.

    An existing key file keeps opening after PARLEY_SECRET_KEYS is set, so that moving from the
    file to the environment is a rotation like any other.
    """
    words = list(configured)
    if not words or path.exists():
        words.append(read_or_create_key(path))
    for word in words:
        if len(word) < SHORTEST_KEY:
            raise ImproperlyConfigured(
                f"PARLEY_SECRET_KEYS: every key needs at least {SHORTEST_KEY} characters."
            )
    derived = [_derive(word) for word in words]
    return {hashlib.sha256(key).digest()[:4]: AESGCM(key) for key in derived}


def _derive(word: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"parley secrets v1").derive(word.encode())
