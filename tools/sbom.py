"""`make sbom`: a CycloneDX list of everything that is shipped, with versions, hashes and licences.

From the locks, not from what happens to be installed: the same commit gives the same list. Licences
are those that the installed packages declare; where one offers several and some would bind whoever
passes Parley on, the property `parley:licence-chosen` says under which of them it is used.
"""

import argparse
import importlib.metadata
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from embedded import postgres, redis
from tools.locked import ROOT, Pin, Vendored, read_pins, read_vendored

UNSAID = {"", "UNKNOWN"}
CHOSEN = {"dulwich": "Apache-2.0"}  # of "Apache-2.0 OR GPL-2.0-or-later"


def make_bom() -> Bom:
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, _fingerprint()))
    bom.metadata.timestamp = None  # type: ignore[assignment]  # the same commit, the same list
    bom.metadata.component = Component(
        name="parley", type=ComponentType.APPLICATION, bom_ref="parley",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )  # fmt: skip
    for pin in read_pins(ROOT / "requirements.txt"):
        bom.components.add(_python(pin))
    for library in read_vendored():
        bom.components.add(_browser(library))
    for server in _servers():
        bom.components.add(server)
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def _python(pin: Pin) -> Component:
    purl = PackageURL("pypi", None, pin.name.lower(), pin.version)
    component = Component(
        name=pin.name, version=pin.version, type=ComponentType.LIBRARY, purl=purl,
        bom_ref=str(purl), licenses=_declared(pin.name),
    )  # fmt: skip
    if len(pin.hashes) == 1:  # of several files, each has its own: the lock holds them all
        component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=pin.hashes[0]))
    if pin.name in CHOSEN:
        component.properties.add(Property(name="parley:licence-chosen", value=CHOSEN[pin.name]))
    return component


def _browser(library: Vendored) -> Component:
    scope, _, name = library.name.rpartition("/")
    purl = PackageURL("npm", scope or None, name, library.version)
    return Component(
        name=library.name, version=library.version, type=ComponentType.LIBRARY, purl=purl,
        bom_ref=str(purl), licenses=[LicenseFactory().make_from_string(library.licence)],
    )  # fmt: skip


def _servers() -> Iterator[Component]:
    """Postgres and Redis come inside wheels, whose own names do not tell."""
    licences = {"postgresql": "PostgreSQL", "redis": "BSD-3-Clause"}
    programs = {"postgresql": postgres.binaries() / "postgres", "redis": redis.binary()}
    for name, program in programs.items():
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=True
        ).stdout
        version = next(
            word.removeprefix("v=") for word in said.split() if word.lstrip("v=")[:1].isdigit()
        )
        purl = PackageURL("generic", None, name, version)
        yield Component(
            name=name, version=version, type=ComponentType.APPLICATION, purl=purl,
            bom_ref=str(purl), licenses=[LicenseFactory().make_from_string(licences[name])],
        )  # fmt: skip


def _declared(name: str) -> list[License]:
    """The licence as its package states it; none where it is not installed on this system."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved :: ")
    ]
    stated, expression = (
        metadata[field].strip().partition("\n")[0][:100] if field in metadata else ""
        for field in ("License", "License-Expression")
    )
    for words in (expression, *classifiers[:1], stated):
        if words not in UNSAID:
            return [LicenseFactory().make_from_string(words)]
    return []


def _fingerprint() -> str:
    sources = (ROOT / "requirements.txt", ROOT / "static/vendor/LICENCES.txt")
    return "parley:" + "".join(path.read_text() for path in sources)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make sbom", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "var/sbom.cdx.json")
    path: Path = parser.parse_args(arguments).file
    bom = make_bom()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")
    sys.stdout.write(f"{path}: {len(bom.components)} components, CycloneDX 1.6\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
