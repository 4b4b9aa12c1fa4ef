"""`make audit`: known vulnerabilities of everything that is pinned.

It needs an advisory source (PyPI, else OSV; npm's for browser libraries). Where none can be reached
it says so in one line and passes, unless CI_REQUIRE_AUDIT is set. It never takes longer than
`LIMIT_SECONDS` a source.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from tools.locked import ROOT

LIMIT_SECONDS = 90
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt")
SERIOUS = ("high", "critical")


class NotAudited(Exception):
    """Nobody could be asked; the message says why."""


def audit_python() -> tuple[int, list[str]]:
    """How many packages were looked up, and what is wrong with them."""
    locks = [word for lock in LOCKS for word in ("-r", str(ROOT / lock))]
    for source in ("pypi", "osv"):
        said = _run(
            [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", *locks,
             "--format=json", "--progress-spinner=off", "--timeout=10",
             f"--vulnerability-service={source}"]
        )  # fmt: skip
        try:
            return read_pip_audit(said)
        except NotAudited:
            continue
    raise NotAudited("neither PyPI's advisories nor OSV can be reached")


def read_pip_audit(said: str) -> tuple[int, list[str]]:
    """A source that knows none of our packages is not one: NotAudited, as for no answer at all."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        raise NotAudited("pip-audit gave no answer") from None
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        raise NotAudited("the source knows none of our packages")
    found = [
        f"{package['name']} {package['version']}: {vulnerability['id']}"
        f" (fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'})"
        for package in known
        for vulnerability in package["vulns"]
    ]
    return len(known), found


def audit_browser() -> tuple[int, list[str]]:
    """As `npm audit` sees frontend/package-lock.json; only what is high or critical."""
    if not shutil.which("npm"):
        raise NotAudited("npm is not installed")
    command = ["npm", "audit", "--package-lock-only", "--json", "--prefix", "frontend"]
    return read_npm_audit(_run([*command, "--fetch-retries=0", "--fetch-timeout=10000"]))


def read_npm_audit(said: str) -> tuple[int, list[str]]:
    try:
        report = json.loads(said)
        count = report["metadata"]["dependencies"]["total"]
        packages = report["vulnerabilities"].values()
    except (ValueError, KeyError, TypeError):
        raise NotAudited("npm's advisories cannot be reached") from None
    return count, [
        f"{package['name']}: {package['severity']}"
        for package in packages
        if package["severity"] in SERIOUS
    ]


def _run(command: list[str]) -> str:
    """What it says; an exit status above zero only means that it found something."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotAudited(f"{command[0]}: {type(problem).__name__}") from problem
    return done.stdout


def audit() -> Iterator[tuple[str, bool]]:
    """One line for each kind of package, and whether it is in order."""
    is_required = bool(os.environ.get("CI_REQUIRE_AUDIT"))
    for what, look in (("Python packages", audit_python), ("browser libraries", audit_browser)):
        try:
            count, found = look()
        except NotAudited as reason:
            yield f"not audited: {what}: {reason}", not is_required
            continue
        for line in found:
            yield f"vulnerable: {line}", False
        if not found:
            yield f"audited: {count} {what}, no known vulnerability", True


def main() -> int:
    is_fine = True
    for line, is_in_order in audit():
        sys.stdout.write(line + "\n")
        is_fine &= is_in_order
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
