"""Words of a picture, by Tesseract: an extra, there where its library is (Debian: `tesseract-ocr`).

It is called as a library, inside the confined process: no program is started, no file written, and
the reader's limits of memory and time hold for it. Where it is missing, or `PARLEY_OCR` is off,
pictures stay unread and are named.
"""

import ctypes
import os
import resource
import signal
import time
from contextlib import closing, suppress
from contextvars import ContextVar
from ctypes import c_char_p, c_int, c_void_p
from functools import cache
from typing import Any

from PIL import Image

LIBRARIES = ("libtesseract.so.5", "libtesseract.5.dylib")
OFF = "off"
SECONDS = 300  # of processor time for all pages of a file, beside the reader's own
PAGE_SECONDS = 30
CONFIDENT = 50  # of a hundred: below that a picture is a photograph, and its words are none
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "TessVersion": (c_char_p, ()),
    "TessBaseAPICreate": (c_void_p, ()),
    "TessBaseAPIInit3": (c_int, (c_void_p, c_char_p, c_char_p)),
    "TessBaseAPIGetLoadedLanguagesAsVector": (ctypes.POINTER(c_char_p), (c_void_p,)),
    "TessBaseAPISetImage": (None, (c_void_p, c_char_p, c_int, c_int, c_int, c_int)),
    "TessBaseAPISetSourceResolution": (None, (c_void_p, c_int)),
    "TessBaseAPISetPageSegMode": (None, (c_void_p, c_int)),
    "TessBaseAPIRecognize": (c_int, (c_void_p, c_void_p)),
    "TessBaseAPIMeanTextConf": (c_int, (c_void_p,)),
    "TessBaseAPIGetUTF8Text": (c_void_p, (c_void_p,)),
    "TessDeleteText": (None, (c_void_p,)),
    "TessBaseAPIDelete": (None, (c_void_p,)),
    "TessMonitorCreate": (c_void_p, ()),
    "TessMonitorSetDeadlineMSecs": (None, (c_void_p, c_int)),
    "TessMonitorDelete": (None, (c_void_p,)),
}
DPI = 300  # said of every picture: with the true number, small ones are read worse
BY_BLOCKS = 3  # PSM_AUTO: finds columns and paragraphs by itself

WANTED: ContextVar[str] = ContextVar("languages", default="")  # of this process; none: off


def turn_on(languages: str) -> None:
    """For the files that this process reads from now on; `""` and `off` turn it off.

    The library is loaded now: a confined child finds none outside the usual folders.
    """
    WANTED.set(languages if is_there(languages) else "")


def is_there(languages: str) -> bool:
    """Whether pictures would be read; `describe` knows in which languages."""
    return languages not in {"", OFF} and _library() is not None


def describe(languages: str) -> str:
    """The program with its version and the languages it has of these; empty where it is not."""
    library = _library()
    if library is None:
        return ""
    with closing(Engine(library, languages)) as engine:
        return engine.name if engine.languages else ""


def open_engine() -> "Engine | None":
    """None where it is off, or no data of the languages is there."""
    library = _library() if WANTED.get() else None
    engine = Engine(library, WANTED.get()) if library is not None else None
    return engine if engine is not None and engine.languages else None


class Engine:
    """Tesseract with the languages that are installed of those asked for (`chi_sim+eng`)."""

    def __init__(self, library: ctypes.CDLL, languages: str) -> None:
        self._library = library
        self._handle = library.TessBaseAPICreate()
        failed = library.TessBaseAPIInit3(self._handle, None, languages.encode())
        self.languages = () if failed else self._loaded()
        self.name = f"tesseract {library.TessVersion().decode()}: {'+'.join(self.languages)}"

    def close(self) -> None:
        self._library.TessBaseAPIDelete(self._handle)

    def words_of(self, picture: Image.Image) -> str:
        """Its lines, an empty one between paragraphs; nothing where it is not sure of them."""
        grey = picture if picture.mode == "L" else picture.convert("L")
        library, handle = self._library, self._handle
        library.TessBaseAPISetPageSegMode(handle, BY_BLOCKS)
        library.TessBaseAPISetImage(handle, grey.tobytes(), grey.width, grey.height, 1, grey.width)
        library.TessBaseAPISetSourceResolution(handle, DPI)
        monitor = library.TessMonitorCreate()
        library.TessMonitorSetDeadlineMSecs(monitor, PAGE_SECONDS * 1000)
        failed = library.TessBaseAPIRecognize(handle, monitor)
        library.TessMonitorDelete(monitor)
        if failed or library.TessBaseAPIMeanTextConf(handle) < CONFIDENT:
            return ""
        found = library.TessBaseAPIGetUTF8Text(handle)
        text = ctypes.string_at(found).decode(errors="replace") if found else ""
        library.TessDeleteText(found)
        return text

    def _loaded(self) -> tuple[str, ...]:
        names = self._library.TessBaseAPIGetLoadedLanguagesAsVector(self._handle)
        found: list[str] = []
        while names[len(found)]:
            found.append(names[len(found)].decode())
        return tuple(found)


class Clock:
    """The time that reading pictures of one file may take: the process's limits grow by it."""

    def __init__(self) -> None:
        self._until = time.process_time() + SECONDS - PAGE_SECONDS
        soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        if soft != resource.RLIM_INFINITY:
            with suppress(ValueError):
                resource.setrlimit(resource.RLIMIT_CPU, (min(soft + SECONDS, hard), hard))
        if left := signal.alarm(0):
            signal.alarm(left + 2 * SECONDS)

    @property
    def is_over(self) -> bool:
        return time.process_time() > self._until


@cache
def _library() -> ctypes.CDLL | None:
    os.environ["OMP_THREAD_LIMIT"] = "1"  # a confined process has one thread
    for name in LIBRARIES:
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(name)
            for function, (result, given) in FUNCTIONS.items():
                getattr(library, function).restype = result
                getattr(library, function).argtypes = given
            return library
    return None
