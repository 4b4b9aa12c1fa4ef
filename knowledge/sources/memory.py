"""A ceiling on the memory of what others made: a few bytes of a pack may unpack to gigabytes."""

import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext as _

from knowledge.sources.connector import SourceUnusable

MOST_BYTES = 1024**3  # beside what the process has already
_DATA = re.compile(r"^VmData:\s+(\d+) kB$", re.MULTILINE)


@contextmanager
def limited_memory(most: int | None = None) -> Iterator[None]:
    """Whatever would need more inside raises `SourceUnusable`, and the worker goes on.

    Private memory alone is counted, so that a large pack may be mapped. Linux only; elsewhere what
    limits the process is all there is.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    ceiling = _data() + (MOST_BYTES if most is None else most)
    if sys.platform != "linux" or (soft != resource.RLIM_INFINITY and soft <= ceiling):
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (ceiling, hard))
    try:
        yield
    except MemoryError as error:
        raise SourceUnusable(
            _("Something in the repository needs more memory than is allowed.")
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data() -> int:
    try:
        found = _DATA.search(Path("/proc/self/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
