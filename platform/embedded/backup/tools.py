"""pg_dump and pg_restore: which ones fit a server, and the streams out of and into them.

The wheel brings two generations, 16 and 18, without TLS. A server that asks for TLS, or is newer,
needs the programs of its own version on this machine (`postgresql-client-18`). A dump can be
restored by programs at least as new as those that made it, and programs from 17 on send a setting
that a server before 17 does not know: so the oldest that will do is taken.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from psycopg.pq import Conninfo

from embedded import postgres
from embedded.backup.errors import BackupError
from embedded.service_user import make_runnable

PIECE = 1024 * 1024
DEBIAN = Path("/usr/lib/postgresql")
LOCK_WAIT = "60s"
RESTORE_OPTIONS = ("--no-owner", "--no-privileges", "--no-comments", "--exit-on-error")


@dataclass(frozen=True, order=True)
class Tools:
    """The programs of one folder."""

    major: int
    is_bundled: bool
    folder: Path

    def dump(self, url: str, snapshot: str) -> Iterator[bytes]:
        """The database as it was in `snapshot`, in pieces. Raises `BackupError`."""
        command = ["--format=custom", "--compress=gzip:1" if self.major >= 16 else "--compress=1",
                   f"--snapshot={snapshot}", f"--lock-wait-timeout={LOCK_WAIT}"]  # fmt: skip
        with self._running("pg_dump", command, url, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while piece := process.stdout.read(PIECE):
                yield piece

    @contextmanager
    def restoring(self, url: str) -> Iterator[IO[bytes]]:
        """Where to write a dump that becomes the content of the (empty) database at `url`."""
        command = ["--format=custom", *RESTORE_OPTIONS, f"--dbname={database_name(url)}"]
        with self._running("pg_restore", command, url, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            try:
                yield process.stdin
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended early; its own words say why

    @contextmanager
    def _running(
        self, name: str, arguments: list[str], url: str, **pipes: int
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """The program, with the address in its environment: `ps` shows no password."""
        if self.is_bundled:
            make_runnable(self.folder / name)
        process = subprocess.Popen(
            [str(self.folder / name), "--no-password", *arguments],
            env=_without_postgres(os.environ) | connection_environment(url),
            stderr=subprocess.PIPE,
            **pipes,  # type: ignore[call-overload]
        )
        try:
            yield process
            if process.stdin and not process.stdin.closed:
                process.stdin.close()
            said = process.stderr.read().decode(errors="replace")
            if process.wait():
                raise BackupError(_explain(name, said))
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()


def find_tools(server: int, *, at_least: int = 0, is_embedded: bool = True) -> Tools:
    """The oldest programs that serve this server and read a dump of `at_least`.

    For somebody's own server the machine's programs come before the wheel's: they know TLS.
    """
    wanted = max(server, at_least)
    fitting = [tools for tools in _installed() if tools.major >= wanted]
    if not fitting:
        raise BackupError(
            f"Postgres {server} needs pg_dump and pg_restore {wanted} or later on this machine. "
            f"Install them (Debian: `apt-get install postgresql-client-{wanted}`), then try again."
        )
    return min(fitting, key=lambda tools: (tools.major, tools.is_bundled != is_embedded))


@cache
def _installed() -> tuple[Tools, ...]:
    bundled = [postgres.binaries(), postgres.binaries().parents[1] / "pginstall" / "bin"]
    found = shutil.which("pg_dump")
    own = [*DEBIAN.glob("*/bin"), *([Path(found).resolve().parent] if found else [])]
    folders = [(folder, True) for folder in bundled] + [(folder, False) for folder in own]
    return tuple(
        sorted(
            Tools(major, is_bundled, folder)
            for folder, is_bundled in folders
            if (major := _major(folder, is_bundled=is_bundled))
        )
    )


def _major(folder: Path, *, is_bundled: bool) -> int:
    """The version of the programs in a folder; 0 when one is missing or does not run."""
    try:
        if is_bundled:
            make_runnable(folder / "pg_restore")
        for name in ("pg_dump", "pg_restore"):
            said = subprocess.run(
                [str(folder / name), "--version"], capture_output=True, text=True, check=True
            ).stdout
        match = re.search(r"\) (\d+)", said)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(match[1]) if match else 0


def connection_environment(url: str) -> dict[str, str]:
    """libpq's own environment variables for an address."""
    options = Conninfo.parse(url.encode())
    return {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar and option.val
    }


def database_name(url: str) -> str:
    return connection_environment(url).get("PGDATABASE", "postgres")


def _without_postgres(environment: "os._Environ[str]") -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("PG")}


def _explain(name: str, said: str) -> str:
    """The program's own last words; it names the server and never the password."""
    lines = [line for line in said.strip().splitlines() if "error:" in line] or said.splitlines()
    words = lines[0].strip() if lines else "it ended without a word"
    hint = ""
    if "SSL support is not compiled in" in said:
        hint = " Install postgresql-client of the server's version: the bundled one has no TLS."
    return f"{name} failed: {words.removeprefix(f'{name}: ')}.{hint}"
