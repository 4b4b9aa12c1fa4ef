"""Lists of the admin stay fast over a million rows: what they ask the database is pinned."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import override

from accounts import services, tokens
from accounts.models import Grant, User
from chat.models import Conversation, Message
from events import task_names
from events.models import Job
from gateway.models import Usage
from knowledge.models import Chunk, Document
from security.ids import first_id_at
from security.lists import SHOWN
from tests.admin.test_pages import MODELS, address

pytestmark = pytest.mark.django_db

# Counted whole: a full scan of the table. What is counted for one row, by its key, is not.
COUNTS = re.compile(r"count\(", re.IGNORECASE)
BOUNDED = re.compile(rf"LIMIT {SHOWN}\) subquery", re.IGNORECASE)
OF_A_ROW = re.compile(
    r"\(SELECT (?:COUNT|MAX)\(U0\.\"\w+\"\) AS \"\w+\" FROM .*? U0 WHERE \(?U0\.", re.DOTALL
)
ALL_VALUES = re.compile(r"^SELECT DISTINCT|DATE_TRUNC|MIN\(|MAX\(", re.IGNORECASE)


@pytest.fixture
def many(furnish, admin, team):
    """Adds rows of every kind."""

    def make(first: int, last: int) -> None:
        for number in range(first, last):
            furnish(number)
            person = User.objects.create_user(f"p{number}@example.org")
            services.create_team(person, f"Team {number}")
            tokens.issue(person, "t")
            Grant.objects.create(user=person, kind="collection", object_id=team.pk, role="reader")

    return make


def listed(client, model, query: str = "") -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address(model, "changelist") + query).status_code == 200
    return [query["sql"] for query in queries]


def is_whole(sql: str) -> bool:
    """Whether the statement looks at every row of what it lists."""
    rest = OF_A_ROW.sub("", sql)
    return bool(ALL_VALUES.search(rest) or (COUNTS.search(rest) and not BOUNDED.search(rest)))


def test_no_list_counts_everything_and_each_costs_the_same_for_10_rows_and_100(many, root_client):
    many(0, 10)
    listed(root_client, Job)  # what is asked once in a process
    first = {model: listed(root_client, model) for model in MODELS}
    many(10, 100)
    for model in MODELS:
        asked = listed(root_client, model)
        assert [sql for sql in asked if is_whole(sql)] == [], model
        assert len(asked) <= len(first[model]), model


def test_whole_counts_are_told_from_bounded_ones():
    assert is_whole('SELECT COUNT(*) AS "__count" FROM "chat_message"')
    assert is_whole('SELECT DISTINCT "events_job"."task" FROM "events_job"')
    assert not is_whole(
        f'SELECT COUNT(*) FROM (SELECT "id" AS "col1" FROM "chat_message" LIMIT {SHOWN}) subquery'
    )


def test_ids_are_found_by_the_index_and_words_by_the_title(furnish, root_client):
    furnish(1)
    document, job, message = Document.objects.get(), Job.objects.get(), Message.objects.first()
    for model, term in (
        (Document, document.pk), (Document, document.collection_id), (Document, "ocument 1"),
        (Chunk, document.pk), (Job, document.pk), (Job, job.pk), (Message, message.pk),
        (Message, message.conversation_id),
    ):  # fmt: skip
        asked = [sql for sql in listed(root_client, model, f"?q={term}") if "LIMIT 50" in sql or
            "LIMIT 51" in sql or "ORDER BY" in sql]  # fmt: skip
        response = root_client.get(address(model, "changelist") + f"?q={term}")
        assert response.context["cl"].result_count, (model, term)
        if "-" in str(term):
            assert not any("UPPER(" in sql for sql in asked), asked
    response = root_client.get(address(Chunk, "changelist") + "?q=words")
    assert response.context["cl"].result_count == 0


def test_the_address_of_a_person_is_found_by_their_key(furnish, root_client):
    furnish(1)
    owner = Conversation.objects.get().owner
    User.objects.create_user(f"not-{owner.email}")
    for typed in (owner.email, owner.email.upper()):
        asked = listed(root_client, Conversation, f"?q={typed}")
        assert not any("LIKE" in sql and "chat_conversation" in sql for sql in asked), asked
        response = root_client.get(address(Conversation, "changelist") + f"?q={typed}")
        assert response.context["cl"].result_count == 1
    for part, found in ((owner.email[1:], 1), ("nobody@nowhere.example", 0)):
        response = root_client.get(address(Conversation, "changelist") + f"?q={part}")
        assert response.context["cl"].result_count == found, part


def test_what_a_count_did_not_find_is_not_looked_for_again(root_client):
    asked = listed(root_client, Document, "?q=nowhere")
    assert sum("LIKE" in sql for sql in asked) == 1, asked


def test_a_filter_by_age_goes_by_the_key(furnish, root_client):
    furnish(1)
    Usage.objects.create(id=first_id_at(timezone.now() - timedelta(days=9)), model_name="m")
    for days, shown in (("1", 1), ("7", 1), ("30", 2), ("nonsense", 2)):
        response = root_client.get(address(Usage, "changelist") + f"?since={days}")
        assert response.context["cl"].result_count == shown, days


def test_jobs_are_called_by_what_they_do(furnish, root_client):
    furnish(1)
    html = root_client.get(address(Job, "changelist")).content.decode()
    assert "Indexing a document" in html
    assert "knowledge.jobs" not in re.sub(r'href="[^"]*"', "", html)
    Job.objects.update(status="failed", reason="It broke.", finished_at=timezone.now())
    overview = root_client.get("/admin/").content.decode()
    assert "<b>Indexing a document</b>" in overview
    assert task_names.title_of("a.b.sweep_floor") == "Sweep floor"
    with override("zh-hans"):
        assert task_names.title_of("knowledge.jobs.ingest_document") != "Indexing a document"


def test_every_named_task_is_a_function():
    assert len(task_names.list_titles()) >= 6
    for task, _title in task_names.list_titles():
        assert callable(import_string(task))
