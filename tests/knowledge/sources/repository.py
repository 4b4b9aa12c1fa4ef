"""Real git repositories, made commit by commit, and a server for them on loopback."""

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from tests.support.web import SITE

WHO = b"Ada <ada@example.org>"


def make_repository(path: Path) -> Repo:
    path.mkdir(parents=True)
    return Repo.init_bare(str(path))


def commit(
    repository: Repo,
    files: Mapping[str, str | bytes],
    branch: str = "master",
    *,
    message: str = "A change",
    **modes: int,
) -> str:
    """A commit that has just these files; the branch is at it from now on."""
    store = repository.object_store
    root: dict = {}
    for name, content in files.items():
        blob = Blob.from_string(content.encode() if isinstance(content, str) else content)
        store.add_object(blob)
        parts = name.encode(errors="surrogateescape").split(b"/")
        folder = root
        for part in parts[:-1]:
            folder = folder.setdefault(part, {})
        folder[parts[-1]] = (modes.get(parts[-1].decode(errors="replace"), 0o100644), blob.id)

    def build(folder: dict) -> bytes:
        tree = Tree()
        for name, inner in folder.items():
            if isinstance(inner, dict):
                tree.add(name, 0o040000, build(inner))
            else:
                tree.add(name, *inner)
        store.add_object(tree)
        return tree.id

    made = Commit()
    made.tree = build(root)
    name = f"refs/heads/{branch}".encode()
    if name in repository.refs:
        made.parents = [repository.refs[name]]
    made.author = made.committer = WHO
    made.author_time = made.commit_time = 1_790_000_000
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    made.message = f"{message}\n".encode()
    store.add_object(made)
    repository.refs[name] = made.id
    return made.id.decode()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@contextmanager
def serve_git(repository: Repo, password: str = "") -> Iterator[tuple[str, list[str]]]:
    """The address of the repository, and the paths that were asked for."""
    heard: list[str] = []
    chain = make_wsgi_chain(DictBackend({"/team/docs.git": repository}))
    wanted = "Basic " + base64.b64encode(f"git:{password}".encode()).decode()

    def application(environ, start_response):
        heard.append(environ["PATH_INFO"])
        if password and environ.get("HTTP_AUTHORIZATION") != wanted:
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return [b""]
        return chain(environ, start_response)

    server = make_server(SITE, 0, application, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{SITE}:{server.server_port}/team/docs.git", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
