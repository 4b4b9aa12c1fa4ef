from pathlib import Path

import pytest
from django.contrib.auth import authenticate

from accounts.models import User
from agents.models import Agent
from config import preparation
from embedded.errors import StartupError
from knowledge.models import Collection, Document
from security.acts import Act
from security.models import AuditEntry


@pytest.fixture
def static_root(settings, tmp_path):
    """A small set of sources, packed into a folder of its own."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "page.js").write_text("export const word = 'hello';\n" * 50)
    settings.STATICFILES_DIRS = [sources]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "config.static.StaticStorage",
            "OPTIONS": {"location": settings.STATIC_ROOT},
        }
    }
    return settings.STATIC_ROOT


def packed(root: Path) -> set[str]:
    return {path.name for path in root.glob("page.*.js*")}


def test_files_are_packed_once_and_again_when_they_change(static_root, settings, capsys):
    preparation.collect_static_files()
    first = packed(static_root)
    assert {name.rpartition(".")[2] for name in first} == {"js", "br", "gz"}

    capsys.readouterr()
    preparation.collect_static_files()
    assert capsys.readouterr().out == ""

    (settings.STATICFILES_DIRS[0] / "page.js").write_text("export const word = 'bye';\n" * 50)
    preparation.collect_static_files()
    assert first < packed(static_root)


def test_what_an_interrupted_packing_left_is_not_trusted(static_root):
    preparation.collect_static_files()
    (compressed,) = static_root.glob("page.*.js.br")
    whole = compressed.read_bytes()
    compressed.write_bytes(whole[:10])
    (static_root / ".stamp").unlink()

    preparation.collect_static_files()
    assert compressed.read_bytes() == whole


@pytest.mark.django_db
def test_the_first_administrator_gets_a_password_and_the_samples(capsys, settings):
    preparation.ensure_administrator()
    said = capsys.readouterr().out
    password = next(line.split()[-1] for line in said.splitlines() if "password" in line)
    owner = User.objects.get()

    assert owner.email == settings.PARLEY_ADMIN_EMAIL
    assert owner.check_password(password)
    assert authenticate(email=owner.email, password=password) == owner
    assert AuditEntry.objects.filter(act=Act.ADMIN_ADDED, object_id=str(owner.pk)).exists()
    assert Document.objects.filter(collection__in=Collection.objects.owned_by(owner)).exists()

    preparation.ensure_administrator()
    assert capsys.readouterr().out == ""
    assert User.objects.count() == 1


def test_a_wrong_redis_is_one_line(settings):
    settings.REDIS_URL = "redis://:hidden@127.0.0.1:1"
    with pytest.raises(StartupError, match="Redis cannot be reached") as caught:
        preparation.check_redis()

    assert "hidden" not in str(caught.value)
    assert "REDIS_URL" in str(caught.value)


@pytest.mark.django_db
def test_everybody_starts_with_the_documents_agent():
    preparation.ensure_agents()
    assert not Agent.objects.exists()

    User.objects.create_superuser("first@example.org", "a long password")
    preparation.ensure_agents()
    preparation.ensure_agents()
    anybody = User.objects.create_user("anybody@example.org", "a long password")
    assert [agent.slug for agent in Agent.objects.visible_to(anybody)] == ["documents"]
