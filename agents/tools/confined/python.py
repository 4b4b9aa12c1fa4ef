"""A program that a model wrote, run to its end: what it prints, and what its last line is."""

import ast
import io
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from typing import Any

from agents.tools.confined.child import Refused

LONGEST = 10_000  # characters of output
NAME = "<program>"
# Loaded before the rights are given up: afterwards no file is opened, and so nothing is imported.
MODULES = (
    "_strptime", "array", "base64", "bisect", "calendar", "cmath", "collections.abc", "copy", "csv",
    "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools", "hashlib",
    "heapq", "html", "itertools", "json", "math", "numbers", "numpy", "operator", "pprint",
    "random", "re", "statistics", "string", "struct", "textwrap", "time", "typing", "unicodedata",
    "uuid", "encodings.idna", "encodings.latin_1", "encodings.utf_16", "encodings.cp1252", "zlib",
)  # fmt: skip

for _name in MODULES:
    with suppress(ImportError):
        import_module(_name)


def work(asked: dict[str, Any]) -> dict[str, Any]:
    output = _Output()
    try:
        tree = ast.parse(asked["code"], NAME)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Refused(f"This is no program: {error}") from None
    with redirect_stdout(output), redirect_stderr(output):
        failure = _run(tree, output)
    return {"text": output.getvalue(), "failure": failure, "is_cut": output.is_cut}


def _run(tree: ast.Module, output: "_Output") -> str:
    """What went wrong; empty where nothing did."""
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(compile(tree, NAME, "exec"), names)  # noqa: S102 - the purpose; see `strict`
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), NAME, "eval"), names)  # noqa: S307
            if value is not None:
                output.write(f"{value!r}\n")
    except BaseException as error:  # noqa: BLE001 - whatever it raises is told
        return _told(error)
    return ""


def _told(error: BaseException) -> str:
    with suppress(Exception):
        places = traceback.extract_tb(error.__traceback__)
        line = next((one.lineno for one in reversed(places) if one.filename == NAME), None)
        where = f" (line {line})" if line else ""
        return f"{type(error).__name__}: {error}"[:1000] + where
    return "It failed."


class _Output(io.StringIO):
    """Keeps the beginning of what is written."""

    is_cut = False

    def write(self, text: str, /) -> int:
        room = LONGEST - self.tell()
        if len(text) > room:
            self.is_cut = True
        super().write(text[: max(room, 0)])
        return len(text)


sys.setrecursionlimit(2_000)
