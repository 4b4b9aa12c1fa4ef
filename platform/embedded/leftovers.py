"""Processes of an earlier `up` that was killed: known by a file, ended before the next start."""

import json
from pathlib import Path

import psutil

from embedded.home import Home

GRACE_SECONDS = 5


def remember(home: Home, pids: list[int]) -> None:
    """Note these children; a process is known again by its id and its time of birth."""
    notes = []
    for pid in pids:
        try:
            notes.append([pid, psutil.Process(pid).create_time()])
        except psutil.NoSuchProcess:
            continue
    _file(home).write_text(json.dumps(notes))


def end_leftovers(home: Home) -> int:
    """End what is left of the noted children; how many there were. They were asked to stop when
    their parent died, so they get a few seconds only."""
    try:
        notes = json.loads(_file(home).read_text())
    except (OSError, ValueError):
        return 0
    left = [process for pid, born in notes if (process := _find(pid, born))]
    for process in left:
        process.terminate()
    _, alive = psutil.wait_procs(left, GRACE_SECONDS)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, GRACE_SECONDS)
    _file(home).unlink(missing_ok=True)
    return len(left)


def _find(pid: int, born: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - born) < 1 else None
    except psutil.NoSuchProcess:
        return None


def _file(home: Home) -> Path:
    return home.run / "children.json"
