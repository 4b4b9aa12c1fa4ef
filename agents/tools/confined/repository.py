"""A repository as readers of its collection may see it: what its source takes, at commits that its
branch has.

The copy has the whole history of a branch, but not everything in it is for readers: paths that the
source leaves out, or that somebody took out here, are not there at any commit.
"""

from collections.abc import Iterator, Sequence
from stat import S_ISREG
from typing import Any

from dulwich.diff_tree import tree_changes
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.repo import Repo

from agents.tools.confined.child import Refused
from knowledge.sources.names import raw, storable
from knowledge.sources.patterns import Wanted

MOST_WALKED = 20_000  # commits that are looked through for one
LONGEST_FILE = 2 * 1024 * 1024
SNIFFED = 8_000  # bytes by which a file is known to be no text


class Copy:
    """A repository as readers of its collection may see it."""

    def __init__(self, repository: Repo, asked: dict[str, Any]) -> None:
        self._repository = repository
        self.store = repository.object_store
        self._wanted = Wanted(asked["include"], asked["exclude"])
        self._left_out = frozenset(asked["left_out"])
        self._head = ObjectID(asked["head"].encode())
        if self._head not in self.store:
            raise Refused("This repository was not fetched yet. Try again after its next sync.")

    def is_there(self, path: bytes, mode: int | None) -> bool:
        name = storable(path)
        is_file = mode is not None and S_ISREG(mode)
        return is_file and name in self._wanted and name not in self._left_out

    def commit(self, revision: str) -> Commit:
        """The branch's last one, or one that it comes from, by the beginning of its hash."""
        if not revision:
            return self._as_commit(self._head)
        wanted = revision.lower().encode()
        if len(wanted) < 4 or not set(wanted) <= set(b"0123456789abcdef"):
            raise Refused("A revision is the first 4 to 40 digits of a commit's hash.")
        for entry in self.history():
            if entry.id.startswith(wanted):
                return entry
        raise Refused(f"There is no commit {revision[:40]} in this branch.")

    def history(
        self, paths: Sequence[bytes] | None = None, first: Commit | None = None
    ) -> Iterator[Commit]:
        start = [first.id if first is not None else self._head]
        walker = self._repository.get_walker(start, paths=paths, max_entries=MOST_WALKED)
        return (entry.commit for entry in walker)

    def files(self, commit: Commit) -> Iterator[tuple[bytes, ObjectID]]:
        for entry in iter_tree_contents(self.store, commit.tree):
            if entry.path and entry.sha and self.is_there(entry.path, entry.mode):
                yield entry.path, entry.sha

    def changes(self, commit: Commit, base: Commit | None) -> Iterator[tuple[bytes, Any, Any]]:
        """Path, old blob and new blob of what readers may see; None where there is none."""
        tree = base.tree if base is not None else None
        for change in tree_changes(self.store, tree, commit.tree):
            old, new = change.old, change.new
            old_sha = old.sha if old and old.path and self.is_there(old.path, old.mode) else None
            new_sha = new.sha if new and new.path and self.is_there(new.path, new.mode) else None
            path = (new.path if new else None) or (old.path if old else None)
            if path and (old_sha or new_sha):
                yield path, old_sha, new_sha

    def before(self, commit: Commit) -> Commit | None:
        return self._as_commit(commit.parents[0]) if commit.parents else None

    def lines(self, path: str, commit: Commit) -> list[str]:
        """Of a text that readers may see; Refused for everything else."""
        name = raw_path(path)
        tree = self.store[commit.tree]
        try:
            mode, sha = tree.lookup_path(self.store.__getitem__, name)  # type: ignore[attr-defined]
        except (KeyError, ValueError, NotADirectoryError, AttributeError):
            raise Refused(missing(path)) from None
        if not self.is_there(name, mode):
            raise Refused(missing(path))
        return self.text(sha).splitlines()

    def text(self, sha: ObjectID) -> str:
        blob = self.store[sha]
        if not isinstance(blob, Blob) or blob.raw_length() > LONGEST_FILE:
            raise Refused("This file is too large to be read here.")
        if b"\0" in blob.data[:SNIFFED]:
            raise Refused("This file is no text.")
        return blob.data.decode(errors="replace")

    def _as_commit(self, sha: ObjectID) -> Commit:
        found = self.store[sha]
        if not isinstance(found, Commit):
            raise Refused("This repository cannot be read.")
        return found


def raw_path(path: str) -> bytes:
    try:
        return raw(path)
    except (ValueError, UnicodeEncodeError):
        raise Refused(missing(path)) from None


def missing(path: str) -> str:
    return f"There is no file {path[:200]} here. List the files, and take a path from the result."
