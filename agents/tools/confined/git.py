"""What is read of a repository, by operation (`repository` says what of it is there)."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate, islice
from typing import Any

from dulwich.annotate import annotate_lines
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo

from agents.tools.confined.child import Refused
from agents.tools.confined.repository import Copy, missing, raw_path
from knowledge.sources.names import storable

MOST_FILES = 300  # that are listed at once
MOST_MATCHES = 40
MOST_BLAMED = 3_000  # lines of a file whose authors are told
LONGEST_LINE = 400
LONGEST = 14_000  # characters of an answer


def work(asked: dict[str, Any]) -> dict[str, Any]:
    operation = OPERATIONS[asked["do"]]
    with Repo(asked["repository"]) as repository:
        return operation(Copy(repository, asked), **asked["with"])


def list_files(copy: Copy, path: str, revision: str, offset: int) -> dict[str, Any]:
    """What is in a folder: files with their sizes, folders with how many files are in them."""
    commit = copy.commit(revision)
    folder = raw_path(path.strip("/"))
    start = folder + b"/" if folder else b""
    found: dict[str, int] = {}
    sizes: dict[str, ObjectID] = {}
    for name, sha in copy.files(commit):
        if not name.startswith(start):
            continue
        first, slash, _rest = name[len(start) :].partition(b"/")
        key = storable(first) + ("/" if slash else "")
        found[key] = found.get(key, 0) + 1
        if not slash:
            sizes[key] = sha
    if not found:
        raise Refused(missing(path) if path else "There are no files in it.")
    names = sorted(found, key=lambda key: (not key.endswith("/"), key))
    shown = names[offset : offset + MOST_FILES]
    lines = [
        f"{key} ({found[key]} files)" if key.endswith("/")
        else f"{key} ({copy.store[sizes[key]].raw_length()} bytes)"
        for key in shown
    ]  # fmt: skip
    rest = len(names) - offset - len(shown)
    more = [f"… {rest} more: offset={offset + len(shown)}"] if rest > 0 else []
    return _told(commit, [*lines, *more], path=path)


def read(copy: Copy, path: str, revision: str, start_line: int, line_count: int) -> dict[str, Any]:
    commit = copy.commit(revision)
    lines = copy.lines(path, commit)
    shown = lines[start_line - 1 : start_line - 1 + line_count]
    if lines and not shown:
        raise Refused(f"This file ends at line {len(lines)}.")
    said = _fitting([f"{n}: {_short(line)}" for n, line in enumerate(shown, start_line)])
    return _window(commit, path, said, start_line, len(lines))


def search(copy: Copy, text: str, path: str, revision: str, offset: int) -> dict[str, Any]:
    """Where a text stands, whatever the case of its letters."""
    commit = copy.commit(revision)
    wanted, start = text.casefold(), raw_path(path.strip("/"))
    found = _matches(copy, commit, wanted, start)
    shown = list(islice(found, offset, offset + MOST_MATCHES))
    more = [f"… there is more: offset={offset + MOST_MATCHES}"] * (next(found, None) is not None)
    return _told(commit, [*shown, *more] or ["Nothing found."], path=path)


def _matches(copy: Copy, commit: Commit, wanted: str, start: bytes) -> Iterator[str]:
    for name, sha in copy.files(commit):
        if not name.startswith(start):
            continue
        try:
            text = copy.text(sha)
        except Refused:
            continue
        if wanted in text.casefold():
            for n, line in enumerate(text.splitlines(), 1):
                if wanted in line.casefold():
                    yield f"{storable(name)}:{n}: {_short(line.strip())}"


def log(
    copy: Copy, path: str, revision: str, text: str, *, limit: int, offset: int
) -> dict[str, Any]:
    """Commits that changed something readers may see, the newest first."""
    first = copy.commit(revision)
    start = raw_path(path.strip("/"))
    paths = [start] if path else None
    wanted = text.casefold()
    found = (
        commit
        for commit in copy.history(paths, first)
        if wanted in _decoded(commit.message).casefold()
        and any(name.startswith(start) for name, *_ in copy.changes(commit, copy.before(commit)))
    )
    shown = list(islice(found, offset, offset + limit))
    lines = [f"{_named(commit)} {_short(_subject(commit))}" for commit in shown]
    more = [f"… there is more: offset={offset + limit}"] * (next(found, None) is not None)
    return _told(first, [*lines, *more] or ["No such commit."], path=path)


def diff(copy: Copy, revision: str, base: str, path: str) -> dict[str, Any]:
    """What a commit changed, or what differs between two of them."""
    commit = copy.commit(revision)
    before = copy.commit(base) if base else copy.before(commit)
    changes = list(copy.changes(commit, before))
    if not changes:
        raise Refused("Nothing that is kept here differs.")
    start = raw_path(path.strip("/"))
    lines = [_named(commit), *_decoded(commit.message).strip().splitlines()[:40], ""]
    size = 0
    for name, old, new in changes:
        if name.startswith(start):
            piece = _difference(copy, storable(name), old, new)
            size += sum(map(len, piece))
            if size > LONGEST:
                lines.append(f"… {storable(name)} and what follows is too long: name a path.")
                break
            lines += piece
    return _told(commit, lines, path=path)


def _difference(copy: Copy, name: str, old: Any, new: Any) -> list[str]:
    try:
        before, after = [copy.text(sha).splitlines() if sha else [] for sha in (old, new)]
    except Refused as refused:
        return [f"{name}: {refused}"]
    one, other = f"a/{name}" if old else "/dev/null", f"b/{name}" if new else "/dev/null"
    return [_short(line) for line in difflib.unified_diff(before, after, one, other, lineterm="")]


def blame(copy: Copy, path: str, revision: str, start_line: int, line_count: int) -> dict[str, Any]:
    """Since which commit each line is as it is."""
    commit = copy.commit(revision)
    lines = copy.lines(path, commit)
    if len(lines) > MOST_BLAMED:
        raise Refused(f"Only files of up to {MOST_BLAMED} lines are looked through; use git_log.")
    if start_line > max(len(lines), 1):
        raise Refused(f"This file ends at line {len(lines)}.")
    found = annotate_lines(copy.store, commit.id, raw_path(path), follow=False)
    shown = found[start_line - 1 : start_line - 1 + line_count]
    said = [
        f"{n}: {_named(entry[0])}: {_short(_decoded(line).rstrip())}"
        for n, (entry, line) in enumerate(shown, start_line)
    ]
    return _window(commit, path, _fitting(said), start_line, len(lines))


OPERATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "list": list_files, "read": read, "search": search, "log": log, "diff": diff, "blame": blame,
}  # fmt: skip


def _told(commit: Commit, lines: Sequence[str], **data: Any) -> dict[str, Any]:
    sha = commit.id.decode()
    return {"text": "\n".join(lines), "data": {**data, "commit": sha}}


def _window(
    commit: Commit, path: str, said: Sequence[str], first: int, count: int
) -> dict[str, Any]:
    last = first + len(said) - 1
    more = [f"… read on with start_line={last + 1}; lines: {count}"] * (last < count)
    return _told(commit, [*said, *more], path=path, first=first, last=last)


def _fitting(lines: Sequence[str]) -> list[str]:
    """As many as an answer holds."""
    sizes = accumulate(len(line) + 1 for line in lines)
    return [line for line, size in zip(lines, sizes, strict=True) if size <= LONGEST]


def _named(commit: Commit) -> str:
    when = datetime.fromtimestamp(commit.commit_time, UTC).date().isoformat()
    author = _decoded(commit.author).partition("<")[0].strip()
    return f"{commit.id.decode()[:12]} {when} {_short(author)}"


def _subject(commit: Commit) -> str:
    return _decoded(commit.message).strip().partition("\n")[0]


def _decoded(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode(errors="replace")


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
