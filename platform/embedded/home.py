"""Where Parley keeps its state, and the addresses that follow from it."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from embedded.errors import StartupError

REPOSITORY = Path(__file__).resolve().parents[2]
SOCKET_PATH_LIMIT = 100  # Unix allows 107 bytes, macOS 103
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432"
SMALLEST_FREE_MB = 300


@dataclass(frozen=True)
class Home:
    """The state folder; any process that knows its path computes the same addresses."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """`PARLEY_HOME`, or `var/` beside manage.py."""
        return cls(Path(os.environ.get("PARLEY_HOME") or REPOSITORY / "var").expanduser().resolve())

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        return self.path / "redis"

    @property
    def files(self) -> Path:
        return self.path / "files"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def logs(self) -> Path:
        """What Postgres and Redis themselves say; Parley's own processes log to stdout."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Sockets and locks; in the temporary folder when the path is too long for a socket."""
        run = self.path / "run"
        if len(os.fsencode(run)) + len(LONGEST_SOCKET_NAME) <= SOCKET_PATH_LIMIT:
            return run
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(_short_temporary_folder()) / f"parley-{os.getuid()}-{digest}"

    def database_url(self, name: str = "parley") -> str:
        return f"postgresql://postgres@/{name}?host={quote(str(self.run), safe='/')}"

    def redis_url(self) -> str:
        return f"unix://{quote(str(self.run), safe='/')}/redis.sock"

    def prepare(self, smallest_free_mb: int = SMALLEST_FREE_MB) -> None:
        """Make the folders; a folder that cannot hold state raises `StartupError`."""
        try:
            for folder in (self.path, self.files, self.models, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            self.keys.mkdir(exist_ok=True, mode=0o700)
            self.run.mkdir(exist_ok=True, mode=0o700)
            probe = self.path / f".writable.{os.getpid()}"
            probe.write_bytes(b"\0" * 4096)
            probe.unlink()
        except OSError as problem:
            raise StartupError(
                f"Cannot write to {self.path}: {problem.strerror}. "
                "Free space or give this user the folder, or set PARLEY_HOME to another one."
            ) from problem
        if self.run.is_symlink() or self.run.stat().st_uid not in _own_uids(self.run):
            raise StartupError(f"{self.run} belongs to someone else. Remove it, then start again.")
        free = self.free_megabytes()
        if free < smallest_free_mb:
            raise StartupError(
                f"Only {free} MB are free at {self.path}; Parley needs {smallest_free_mb} MB. "
                "Free some space or set PARLEY_HOME to a larger disk."
            )

    def free_megabytes(self) -> int:
        return shutil.disk_usage(self.path).free // 2**20

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this folder for one `up`; the kernel lets go of it however the process ends."""
        with (self.run / "up.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as problem:
                file.seek(0)
                raise StartupError(
                    f"Parley already runs on {self.path} (process {file.read().strip() or '?'}). "
                    "Stop it first, or set PARLEY_HOME to another folder."
                ) from problem
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


def _short_temporary_folder() -> str:
    """`/tmp` where it exists: TMPDIR may be long, and may differ between our processes."""
    return "/tmp" if os.access("/tmp", os.W_OK) else tempfile.gettempdir()  # noqa: S108


def _own_uids(run: Path) -> set[int]:
    """Root hands the socket folder to the system user that runs Postgres (`service_user`)."""
    return {os.getuid()} if os.getuid() else {0, run.stat().st_uid}
