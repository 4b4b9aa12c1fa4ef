"""What is pinned: Python packages in requirements*.txt, browser libraries in static/vendor."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
VENDORED = re.compile(r"^== (?P<name>\S+) (?P<version>\S+) \((?P<licence>.+)\) ==$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """One Python package at one version, and the hashes of the files that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Vendored:
    """One browser library that stands, built, in static/vendor."""

    name: str
    version: str
    licence: str


def read_pins(path: Path) -> Iterator[Pin]:
    """Every requirement of a locked file; ValueError for a line that pins nothing."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    logical = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    for entry in logical.replace("\\\n", " ").splitlines():
        match = REQUIREMENT.match(entry)
        if match is None:
            raise ValueError(f"{path.name}: {entry.strip()[:60]} is not pinned")
        yield Pin(match["name"], match["version"], tuple(HASH.findall(entry)))


def read_vendored() -> list[Vendored]:
    """As the licences say that stand beside the files."""
    licences = (ROOT / "static/vendor/LICENCES.txt").read_text()
    return [
        Vendored(match["name"], match["version"], match["licence"].removeprefix("(").rstrip(")"))
        for match in VENDORED.finditer(licences)
    ]
