"""Names as text and back. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sources.names import raw, storable
from knowledge.sources.patterns import Wanted


@given(st.binary(max_size=60))
def test_every_name_comes_back(name: bytes):
    assert raw(storable(name)) == name
    storable(name).encode()


def test_patterns():
    wanted = Wanted(["docs/**", "*.md"], ["**/draft/*", "secret.md"])
    for path in ("docs/a.txt", "docs/b/c/d.txt", "x.md", "deep/in/y.md"):
        assert path in wanted
    for path in ("src/a.txt", "docs/draft/x.txt", "draft/y.md", "deep/secret.md"):
        assert path not in wanted
    assert "anything" in Wanted([], [])
    top = Wanted(["/README.md"], [])
    assert "README.md" in top
    assert "sub/README.md" not in top
    assert "a/x/b/c" in Wanted(["a/**/b/*"], [])
    assert "a/b/c" in Wanted(["a/**/b/*"], [])
    assert "ab/c" not in Wanted(["a/**/b/*"], [])
    assert "docs/x/y" in Wanted(["docs/"], [])
    assert "abx" not in Wanted(["**/x"], [])


@pytest.mark.parametrize("path", [".env", "a/.env", "a/.env.local", "prod.env", "a/b/prod.env"])
def test_files_of_passwords_are_never_taken(path: str):
    assert path not in Wanted([], [])
    assert path not in Wanted(["**", path], [])
    assert "docs/environment.md" in Wanted([], [])


def test_no_pattern_takes_long():
    assert "a" * 4000 not in Wanted(["*a" * 100 + "z"], [])
