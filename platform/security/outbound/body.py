"""The bytes of an answer, counted after decompression and never more than the limit in memory."""

import zlib
from collections.abc import AsyncIterator

from django.utils.translation import gettext_lazy as _

from security.outbound.errors import ResponseTooLarge, WrongContent

# What we say we understand; 32 lets zlib tell gzip from zlib by the first bytes.
WINDOW_BITS = {"gzip": 32 + zlib.MAX_WBITS, "x-gzip": 32 + zlib.MAX_WBITS, "deflate": 32 + 15}


async def read_body(chunks: AsyncIterator[bytes], encoding: str, limit: int) -> bytes:
    """All of a body with this Content-Encoding; ResponseTooLarge as soon as it passes `limit`."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return await _read_plain(chunks, limit)
    if encoding not in WINDOW_BITS:
        raise WrongContent(_("The answer is packed in a way that nobody asked for."))
    try:
        return await _unpack(chunks, zlib.decompressobj(WINDOW_BITS[encoding]), limit)
    except zlib.error as error:
        raise WrongContent(_("The answer is damaged.")) from error


async def _read_plain(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        _extend(body, chunk, limit)
    return bytes(body)


async def _unpack(chunks: AsyncIterator[bytes], unpacker: "zlib._Decompress", limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        # One byte beyond what is left is enough to know; the rest stays packed.
        _extend(body, unpacker.decompress(chunk, limit - len(body) + 1), limit)
        if unpacker.eof:
            break
    if not unpacker.eof:
        raise WrongContent(_("The answer is damaged."))
    return bytes(body)


def _extend(body: bytearray, piece: bytes, limit: int) -> None:
    if len(body) + len(piece) > limit:
        raise ResponseTooLarge(
            _("The answer is larger than %(limit)s bytes.") % {"limit": f"{limit:,}"}
        )
    body += piece
