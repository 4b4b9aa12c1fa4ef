"""The sample collection: readable by everyone, in three scripts, made once."""

import pytest

from accounts.models import User
from knowledge import services
from knowledge.analyzer import guess_language
from knowledge.retrieval import search
from tests.knowledge.conftest import run_job

pytestmark = pytest.mark.django_db


def test_samples_are_made_once(admin: User) -> None:
    collection = services.ensure_samples(admin)
    names = set(collection.documents.values_list("file_name", flat=True))
    assert {"README.md", "leave-policy.md", "差旅报销制度.md", "新進員工手冊.md"} <= names
    count = collection.documents.count()
    assert services.ensure_samples(admin) == collection
    assert collection.documents.count() == count


def test_samples_hold_three_scripts() -> None:
    texts = [path.read_text() for path in services.SAMPLES.iterdir()]
    assert {guess_language(text) for text in texts} == {"en", "zh-hans", "zh-hant"}
    assert len(texts) >= 5


QUESTIONS = [
    ("How many unused days of leave move into the next year?", "five unused days"),
    ("What does code E3 on the coffee machine mean?", "No water reaches the pump"),
    ("How do I roll back a release that changed the database schema?", "--keep-schema"),
    ("出差去上海住酒店每晚可以报销多少钱？", "550元"),
    ("門禁卡不見了怎麼辦？", "2150"),
    ("试用期有多久", "試用期為三個月"),
]


def test_everyone_finds_the_answers(admin: User, charlie: User) -> None:
    collection = services.ensure_samples(admin)
    for document in collection.documents.filter(file_name__in=[p.name for p in _own_files()]):
        assert run_job(document).status == "ready"
    for question, answer in QUESTIONS:
        found = search(charlie, question, limit=3).passages
        assert any(answer in passage.text for passage in found), question


def _own_files() -> list:
    return list(services.SAMPLES.iterdir())
