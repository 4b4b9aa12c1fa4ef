"""The vendored browser libraries are exactly those that frontend/vendor.mjs wrote."""

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static/vendor"


def test_every_file_is_as_listed() -> None:
    listed = dict(
        reversed(line.split("  ", 1)) for line in (VENDOR / "SHA256SUMS").read_text().splitlines()
    )
    present = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert present == listed


def test_versions_are_pinned_and_licences_kept() -> None:
    wanted = json.loads((ROOT / "frontend/package.json").read_text())["devDependencies"]
    locked = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    licences = (VENDOR / "LICENCES.txt").read_text()
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")
        assert name == "esbuild" or f"== {name} {version} " in licences


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    icons = (ROOT / "frontend/icons.txt").read_text().split()
    sprite = (VENDOR / "icons.svg").read_text()
    assert all(f'<symbol id="{name}"' in sprite for name in icons)
