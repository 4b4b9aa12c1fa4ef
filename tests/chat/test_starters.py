"""Questions to start with: about what a person may read, in its language, always the same."""

import pytest
from django.utils import translation

from accounts.models import Grant
from accounts.services import share
from chat.starters import SAMPLES, list_starters
from events import jobs
from knowledge import services
from knowledge.models import Document, Source
from tests.knowledge.conftest import _files_apart, _ready_to_index  # noqa: F401 - fixtures
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collection(alice):
    return services.create_collection(alice, "Handbook")


def add(collection, name, text):
    document, _is_new = services.add_document(collection.owner, collection, as_stream(text), name)
    jobs.run(str(document.job_id))
    return Document.objects.get(pk=document.pk)


def test_title_and_first_telling_heading_make_a_question(alice, collection):
    text = "# Travel rules\n\n## Introduction\n\nThese are the rules.\n\n## 2. Night trains\n\n"
    add(collection, "travel.md", text + "You may take the night train and the company pays for it.")
    (starter,) = list_starters(alice)
    assert starter.question == "What does “Travel rules” say about night trains?"
    assert (starter.source, starter.language) == ("Handbook", "en")
    assert list_starters(alice) == [starter]


def test_chinese_documents_ask_in_their_script(alice, collection):
    add(
        collection,
        "a.md",
        "# 巡检规程\n\n## 一、每日巡检\n\n开机前检查气压、油位和急停按钮，记录在册。",
    )
    add(
        collection,
        "b.md",
        "# 訪客須知\n\n## 預約\n\n請於前一個工作天下班前登記訪客姓名與車號，謝謝。",
    )
    assert {starter.language: starter.question for starter in list_starters(alice)} == {
        "zh-Hans": "《巡检规程》里关于“每日巡检”是怎么说的？",
        "zh-Hant": "《訪客須知》裡關於「預約」是怎麼說的？",
    }


def test_a_heading_that_asks_is_the_question(alice, collection):
    add(
        collection, "faq.md", "# Questions\n\n## Who pays for the desk?\n\nThe company pays for it."
    )
    assert [starter.question for starter in list_starters(alice)] == ["Who pays for the desk?"]


def test_names_that_are_no_titles_ask_nothing(alice, collection):
    add(collection, "IMG_20240131.txt", "There is not much to be said about this one by anybody.")
    assert list_starters(alice) == []


def test_the_own_language_comes_first_and_one_of_each_other(alice, collection):
    source = Source.objects.create(collection=collection, kind="upload", name="Uploads")
    for number, (name, language) in enumerate(
        [("leave-policy.md", "en"), ("coffee-machine.md", "en"), ("remote-work.txt", "en"),
         ("差旅报销制度.md", "zh-hans"), ("新進員工手冊.md", "zh-hant")]
    ):  # fmt: skip
        Document.objects.create(
            collection=collection, source=source, title=name, file_name=name, size=1,
            sha256=f"{number:064}", language=language, status=Document.Status.READY,
        )  # fmt: skip
    with translation.override("zh-hans"):
        starters = list_starters(alice)
    assert starters[0].question == SAMPLES["差旅报销制度.md"]
    assert [it.language for it in starters[1:]].count("en") == 2
    assert len({starter.question for starter in starters}) == 4


def test_only_what_a_person_may_read(
    alice, bob, charlie, collection, django_assert_max_num_queries
):
    add(collection, "secret.md", "# The merger\n\n## Offers\n\nWhat we have been offered by them.")
    share(collection, bob, Grant.Role.READER, by=alice)
    assert list_starters(charlie) == []
    with django_assert_max_num_queries(6):  # two of them ours, the others open and close the lock
        assert len(list_starters(bob)) == 1
