"""No module of the product opens a connection by itself, or reads what runs code. s31, s32.

Ruff bans the same (TID251); this holds where a `noqa` would silence it, and knows the exceptions.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path
    for folder in ("accounts", "agents", "chat", "knowledge", "platform")
    for path in (ROOT / folder).rglob("*.py")
)
OUTBOUND = ROOT / "platform/security/outbound"
# Modules nobody imports, and names nobody uses from those that have other uses as well.
CLIENTS = {
    "ftplib", "git", "http.client", "httpx", "imaplib", "nntplib", "poplib", "pycurl", "requests",
    "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
CALLS = {
    "aiohttp.ClientSession", "aiohttp.TCPConnector", "aiohttp.UnixConnector", "aiohttp.request",
    "asyncio.open_connection", "httpx2.AsyncClient", "httpx2.Client", "httpx2.get", "httpx2.post",
    "httpx2.request", "httpx2.stream", "openai.AsyncOpenAI", "openai.OpenAI",
    "socket.create_connection",
}  # fmt: skip
CODE_READERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "torch"}
ALLOWED = {
    ("platform/embedded/supervisor.py", "socket.create_connection"),  # asks its own web process
}


def names_used(tree: ast.AST) -> Iterator[str]:
    """Every module and every member of a module that is imported or reached by its name."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = alias.name
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id in known:
            yield f"{known[node.value.id]}.{node.attr}"


def offences(tree: ast.AST) -> set[str]:
    banned = CLIENTS | CODE_READERS
    return {
        name
        for name in names_used(tree)
        if name in CALLS or any(name == one or name.startswith(f"{one}.") for one in banned)
    }


def test_s32_only_the_guarded_client_opens_connections():
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in MODULES
        if OUTBOUND not in path.parents
        for name in offences(ast.parse(path.read_text()))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "from urllib.request import urlopen",
        "import urllib.request as u",
        "from aiohttp import ClientSession as S",
        "import aiohttp\naiohttp.ClientSession()",
        "import socket as s\ns.create_connection(('a', 1))",
        "def f():\n    from httpx2 import Client",
        "from http import client\nclient.HTTPConnection",
        "import pickle",
        "from joblib import load",
    ],
)
def test_the_rule_sees_every_way_to_write_it(source: str):
    assert offences(ast.parse(source))


def test_the_rule_lets_the_rest_pass():
    source = "import aiohttp, socket\nfrom urllib import parse\naiohttp.ClientError\nsocket.AF_INET"
    assert not offences(ast.parse(source))
