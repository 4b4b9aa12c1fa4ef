"""How values lie in Redis: msgpack, compressed when that pays, sealed.

The seal (AES-GCM) is bound to the entry's key: whoever can read Redis learns nothing, and what we
did not write, or wrote for another key, does not open. Nothing but our own bytes is ever unpacked.
"""

import os
import threading
from functools import lru_cache
from typing import Any

import msgpack
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.crypto import salted_hmac

COMPRESSED_FROM = 1024  # bytes
LEVEL = 3
NONCE_BYTES = 12
PLAIN, ZSTD = b"\0", b"\1"


class Spoilt(Exception):
    """What lies in Redis is not what we put there."""


class _Zstd(threading.local):
    """Neither may be used by two threads at a time."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


def pack(value: Any) -> bytes:
    """JSON's types and bytes; raises TypeError, OverflowError or ValueError for anything else."""
    return bytes(msgpack.packb(value, unicode_errors="surrogatepass"))


def unpack(packed: bytes) -> Any:
    """A new object each time; tuples have become lists."""
    return msgpack.unpackb(packed, unicode_errors="surrogatepass", strict_map_key=False)


def seal(field: bytes, packed: bytes) -> bytes:
    form, body = PLAIN, packed
    if len(packed) >= COMPRESSED_FROM:
        smaller = _zstd.compress(packed)
        if len(smaller) < len(packed):
            form, body = ZSTD, smaller
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, form + body, field)


def open_(field: bytes, sealed: bytes) -> bytes:
    """What `pack` gave; raises `Spoilt`."""
    nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        opened = _cipher(settings.SECRET_KEY).decrypt(nonce, rest, field)
    except (InvalidTag, ValueError) as error:
        raise Spoilt from error
    body = opened[1:]
    return _zstd.decompress(body) if opened[:1] == ZSTD else body


@lru_cache(maxsize=4)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(salted_hmac("caching.seal", "", secret=secret, algorithm="sha256").digest())
