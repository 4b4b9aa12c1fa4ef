"""Where an upload waits while it is read: in a file without a name."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class NamelessUploadHandler(FileUploadHandler):
    """Spools each file to disk; the kernel takes it back however this process ends."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the request)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._dropped_on_failure():
            self._spool.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        with self._dropped_on_failure():
            self._spool.seek(0)
        return UploadedFile(
            self._spool, self.file_name, self.content_type, file_size, self.charset,
            self.content_type_extra,
        )  # fmt: skip

    def upload_interrupted(self) -> None:
        if hasattr(self, "_spool"):
            self._spool.close()

    @contextmanager
    def _dropped_on_failure(self) -> Iterator[None]:
        """What could not be written is not tried again when the file is closed."""
        try:
            yield
        except OSError:
            self._spool.detach().close()
            raise
