"""Uploaded bytes on their way back: a download or an image, never a page of this site."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from asgiref.sync import sync_to_async
from django.http import FileResponse, HttpResponse

SANDBOX = "sandbox; default-src 'none'"


class Download(FileResponse):
    """A file as an attachment that no browser will run, whatever its type claims to be.

    It is read block by block under ASGI too, where Django would otherwise load all of it first.
    """

    block_size = 64 * 1024

    def __init__(self, path: Path, file_name: str, media_type: str) -> None:
        self._file: IO[bytes] = path.open("rb")
        super().__init__(
            self._file, as_attachment=True, filename=file_name, content_type=media_type
        )
        self.headers["X-Content-Type-Options"] = "nosniff"
        self.headers["Content-Security-Policy"] = SANDBOX
        self.headers["Cache-Control"] = "private, no-store"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self._file.read, thread_sensitive=False)
        while block := await read(self.block_size):
            yield block


class Image(HttpResponse):
    """An image that we have drawn ourselves, to be shown in a page of this site.

    What a browser could still mistake for something else in it, it may not run.
    """

    def __init__(self, data: bytes, media_type: str) -> None:
        if media_type not in {"image/png", "image/jpeg"}:
            raise ValueError(f"{media_type} is not shown")
        super().__init__(data, content_type=media_type)
        self.headers["X-Content-Type-Options"] = "nosniff"
        self.headers["Content-Security-Policy"] = SANDBOX
        self.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        self.headers["Cache-Control"] = "private, max-age=300"
