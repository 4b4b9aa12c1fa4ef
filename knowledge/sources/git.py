"""A git repository: one branch, by the difference between two commits.

A copy with its history is kept beside the uploads, so that a visit fetches what is new only, and
that later somebody can ask for log, blame and diff. The mark of a file is its blob.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import Any

from django.conf import settings as django_settings
from django.utils.translation import gettext as _
from dulwich.client import LocalGitClient
from dulwich.diff_tree import tree_changes
from dulwich.errors import GitProtocolError, NotGitRepository, ObjectFormatException
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from knowledge.file_names import printable
from knowledge.sources.connector import Found, Gone, ItemFailed, SourceUnusable, Walk
from knowledge.sources.git_client import GuardedGitClient
from knowledge.sources.memory import limited_memory
from knowledge.sources.names import raw, storable
from knowledge.sources.patterns import Wanted
from knowledge.sources.places import repository_of
from knowledge.sources.roots import require_folder
from knowledge.sources.settings import GitSettings
from knowledge.storage import TOO_LARGE, Readable

KEPT = Ref(b"refs/heads/parley")  # what the copy is of: servers are told that it is here already
BROKEN = (GitProtocolError, NotGitRepository, ObjectFormatException, KeyError, ValueError, OSError)


class GitConnector:
    def __init__(self, settings: GitSettings, secret: str, source_id: str) -> None:
        self._settings = settings
        self._secret = secret
        self._wanted = Wanted(settings.include, settings.exclude)
        self._place = repository_of(source_id)
        self._repository: Repo | None = None
        self.is_complete = True
        self.lists_changes = False
        self.cursor: dict[str, object] = {}
        self.total: int | None = None
        self.remark = ""

    def walk(self, walk: Walk) -> Iterator[Found | Gone]:
        """All files the first time, then those that differ, and those that failed before."""
        walk.tell("fetch", 0, 1)
        repository = self._repository = _open_copy(self._place)
        head = self._fetch(repository, walk)
        commit = _commit(repository, head)
        before = ObjectID(str(walk.cursor.get("commit", "")).encode())
        self.cursor = {"commit": head.decode()}
        if before and before in repository.object_store:
            self.lists_changes, self.is_complete = True, False
            yield from self._changes(repository, before, commit, walk)
        else:
            yield from self._everything(repository, commit, walk)

    def fetch(self, found: Found) -> AbstractContextManager[Readable]:
        if self._repository is None:
            raise ItemFailed(_("The repository is not open."))
        try:
            with limited_memory():
                blob = self._repository.object_store[ObjectID(found.mark.encode())]
        except (KeyError, ValueError, OSError) as error:
            raise ItemFailed(_("The repository lacks the content of this file.")) from error
        except SourceUnusable as error:
            raise ItemFailed(str(error), may_try_again=False) from error
        if not isinstance(blob, Blob):
            raise ItemFailed(_("It is no ordinary file."), may_try_again=False)
        if blob.raw_length() > django_settings.PARLEY_MAX_UPLOAD_MB * 1024 * 1024:
            raise ItemFailed(TOO_LARGE, may_try_again=False)
        return nullcontext(BytesIO(blob.data))

    def close(self) -> None:
        if self._repository is not None:
            self._repository.close()
            self._repository = None

    # -- What is listed ----------------------------------------------------------------------------

    def _everything(self, repository: Repo, commit: Commit, walk: Walk) -> Iterator[Found | Gone]:
        self.total = sum(1 for _file in self._wanted_files(repository, commit, walk))
        for path, sha in self._wanted_files(repository, commit, walk):
            yield _found(path, sha, commit)

    def _wanted_files(
        self, repository: Repo, commit: Commit, walk: Walk
    ) -> Iterator[tuple[bytes, ObjectID]]:
        for entry in iter_tree_contents(repository.object_store, commit.tree):
            if self._is_wanted(entry.path, entry.mode):
                yield entry.path, entry.sha
            else:
                walk.check()

    def _changes(
        self, repository: Repo, before: bytes, commit: Commit, walk: Walk
    ) -> Iterator[Found | Gone]:
        store = repository.object_store
        told = set()
        for change in tree_changes(store, _commit(repository, before).tree, commit.tree):
            old, new = change.old, change.new
            if new is not None and new.path and self._is_wanted(new.path, new.mode):
                told.add(new.path)
                yield _found(new.path, new.sha, commit)
            elif old is not None and old.path and self._is_wanted(old.path, old.mode):
                yield Gone(storable(old.path))
        tree = store[commit.tree]
        assert isinstance(tree, Tree)
        for external_id in walk.failed_before():
            path = raw(external_id)
            if path in told:
                continue
            try:
                mode, sha = tree.lookup_path(store.__getitem__, path)
            except (KeyError, ValueError, NotADirectoryError):
                yield Gone(external_id)
                continue
            if self._is_wanted(path, mode):
                yield _found(path, sha, commit)

    def _is_wanted(self, path: bytes, mode: int | None) -> bool:
        """Ordinary files alone: no links, and no repositories inside."""
        return mode is not None and S_ISREG(mode) and storable(path) in self._wanted

    # -- Fetching ----------------------------------------------------------------------------------

    def _fetch(self, repository: Repo, walk: Walk) -> ObjectID:
        """Bring the copy up to the branch's last commit, which is returned."""
        if self._settings.address.startswith("/"):
            return self._fetch_with(
                LocalGitClient(), _local_path(self._settings.address), repository
            )
        client = GuardedGitClient(
            self._settings.address, self._settings.username, self._secret, walk.check
        )
        try:
            return self._fetch_with(client, "", repository)
        finally:
            client.close()

    def _fetch_with(self, client: Any, path: str, repository: Repo) -> ObjectID:
        chosen: list[ObjectID] = []

        def choose(refs: Any, *_depth: Any) -> list[ObjectID]:
            head = _head_of(refs, self._settings.branch)
            chosen.append(head)
            return [] if head in repository.object_store else [head]

        try:
            with limited_memory():
                client.fetch(path, repository, determine_wants=choose)
        except SourceUnusable:
            raise
        except BROKEN as error:
            raise SourceUnusable(_("The repository cannot be read.")) from error
        repository.refs[KEPT] = chosen[-1]
        repository.refs.set_symbolic_ref(Ref(b"HEAD"), KEPT)
        return chosen[-1]


def _head_of(refs: Any, branch: str) -> ObjectID:
    name = b"refs/heads/" + branch.encode() if branch else b"HEAD"
    found: ObjectID | None = refs.get(name)
    if found is None:
        raise SourceUnusable(
            _("The repository has no branch “%(name)s”.") % {"name": branch}
            if branch
            else _("The repository is empty.")
        )
    return found


def _commit(repository: Repo, sha: bytes) -> Commit:
    found = repository.object_store[ObjectID(sha)]
    if not isinstance(found, Commit):
        raise SourceUnusable(_("The repository cannot be read."))
    return found


def _found(path: bytes, sha: bytes, commit: Commit) -> Found:
    name = storable(path)
    return Found(
        name,
        PurePosixPath(name).name,
        title=printable(name),
        mark=sha.decode(),
        commit=commit.id.decode(),
    )


def _open_copy(place: Path) -> Repo:
    try:
        return Repo(str(place))
    except NotGitRepository:
        place.mkdir(parents=True, exist_ok=True)
        return Repo.init_bare(str(place))


def _local_path(address: str) -> str:
    """A repository below a root that keeps all its objects in itself; raises SourceUnusable."""
    place = require_folder(address)
    try:
        with Repo(str(place)) as repository:
            inner = [
                Path(repository.controldir()).resolve(),
                Path(repository.commondir()).resolve(),
            ]
    except BROKEN as error:
        raise SourceUnusable(_("There is no git repository at this address.")) from error
    for folder in inner:
        require_folder(str(folder))
        if (folder / "objects/info/alternates").exists():
            raise SourceUnusable(_("The repository borrows from another one, which is not read."))
    return str(place)
