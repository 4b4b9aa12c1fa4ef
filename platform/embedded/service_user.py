"""Started by root, Postgres and Redis run as a system user without rights of its own.

Postgres refuses to run as root. The user gets its data folder and the socket folder, and nothing
more than the way to them: `o+x` is added only to a parent that lacks it.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict

from embedded.errors import StartupError

NAME = "pgserver"  # the name the wheel's own Python code uses, so one machine needs one user
READ_AND_ENTER = 0o005


def service_user() -> str | None:
    """The user the servers run as: nobody else when we are not root; made once when we are."""
    if os.geteuid() != 0:
        return None
    for name in (NAME, "postgres"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return _create()


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.Popen`; empty when we are not root."""

    user: int
    group: int
    extra_groups: list[int]


def identity() -> Identity:
    """Run a child as the servers' user, with none of our groups."""
    name = service_user()
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _create() -> str:
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", NAME]
    else:  # busybox
        command = ["adduser", "-S", "-D", "-H", "-s", "/bin/false", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        raise StartupError(
            f"Postgres cannot run as root and the user `{NAME}` could not be made. "
            "Start Parley as an ordinary user, or create that user."
        ) from problem
    return NAME


def hand_over(folder: Path) -> None:
    """Make `folder`, private to the servers' user, reachable for it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = service_user()
    if name is None:
        return
    entry = pwd.getpwnam(name)
    if folder.stat().st_uid != entry.pw_uid:
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    folder.chmod(0o700)
    _open_way_to(folder)


def make_runnable(program: Path) -> None:
    """Let the servers' user run a program that an installation with a strict umask kept private."""
    if service_user() is None:
        return
    _open_way_to(program)
    if program.stat().st_mode & READ_AND_ENTER == READ_AND_ENTER:
        return
    package = program.parents[1]
    libraries = program.parents[2].parent if program.parents[1].name == "pginstall18" else package
    for root in (package, libraries.with_name(libraries.name + ".libs")):
        for path in (root, *root.rglob("*")):
            if not path.is_symlink() and path.exists():
                path.chmod(path.stat().st_mode | READ_AND_ENTER)


def _open_way_to(path: Path) -> None:
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)
