"""BM25 statistics under workers that index, change, delete, restore and weigh at the same time.

Whatever they did, in whatever order, a recount of the passages gives the same numbers. Texts are
Chinese: they are analysed and stored by the real job, and nothing is embedded for it.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from accounts.models import User
from knowledge import services
from knowledge.analyzer import TERM_SPACE
from knowledge.bm25 import count_terms, from_sparsevec, weigh
from knowledge.chunking import index_text
from knowledge.models import Chunk, Collection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.timeout(600),
]

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 3
CHARACTERS = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳"
WORKER = """
import io, random, sys
sys.path[:0] = [{root!r}, {root!r} + "/platform"]
from django.conf import settings
import django
settings.DATABASES["default"]["NAME"] = {database!r}
settings.FILES_ROOT = __import__("pathlib").Path({files!r})
django.setup()
from accounts.models import User
from events import jobs
from events.models import Job
from knowledge import discarding, reweighing, services
from knowledge.models import Collection, Document
from tests.knowledge.test_statistics_recount import words

chance = random.Random({seed})
user = User.objects.get(pk={user!r})
collection = Collection.objects.get(pk={collection!r})

def work():
    for job in list(Job.objects.filter(finished_at=None).order_by("?")[:3]):
        jobs.run(str(job.pk))

def some(rows):
    return rows.order_by("?").first()

for _number in range({steps}):
    act = chance.choice(["add", "add", "add", "again", "discard", "restore", "delete", "weigh"])
    if act == "add":
        services.add_document(user, collection, io.BytesIO(words(chance).encode()), "a.md")
    elif act == "weigh":
        reweighing.reweigh_collection(collection.pk)
    elif act == "restore":
        found = some(discarding.discarded_for(user))
        if found:
            discarding.restore_in(user, collection, [found.pk])
    else:
        found = some(Document.objects.filter(collection=collection))
        if found and act == "again":
            services.reindex_document(found)
        elif found:
            discarding.discard(found) if act == "discard" else services.delete_document(found)
    work()
print("done", flush=True)
"""


def words(chance: random.Random) -> str:
    """A text of one to six passages; a few texts come again and again."""
    chance = random.Random(chance.randrange(40))
    parts = []
    for _ in range(chance.randint(1, 6)):
        part = "".join(chance.choices(CHARACTERS, k=chance.randint(20, 400)))
        parts.append(f"# {part[:4]}\n\n{part}。\n")
    return "\n".join(parts)


def run_workers(user: User, collection: Collection, seed: int, steps: int) -> None:
    workers = []
    for number in range(WORKERS):
        code = WORKER.format(
            root=str(ROOT),
            database=connection.settings_dict["NAME"],
            files=str(django_settings.FILES_ROOT),
            seed=seed * 100 + number,
            user=str(user.pk),
            collection=str(collection.pk),
            steps=steps,
        )
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        environment |= {"LOG_LEVEL": "ERROR"}
        workers.append(
            subprocess.Popen(
                [sys.executable, "-c", code],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
    told = [worker.communicate(timeout=500) for worker in workers]
    assert [out.strip() for out, _ in told] == ["done"] * WORKERS, [err[-3000:] for _, err in told]


def recount(collection: Collection) -> None:
    """What is stored of the collection's statistics is what its passages say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select n, sum_length, avgdl_frozen from lexical_statistics where collection_id = %s",
            [collection.pk],
        )
        n, length, average = cursor.fetchone()
        cursor.execute("select term, df from term_df where collection_id = %s", [collection.pk])
        stored = dict(cursor.fetchall())
        cursor.execute(
            "select id, bm25::text from knowledge_chunk where collection_id = %s", [collection.pk]
        )
        weights = {key: from_sparsevec(text) for key, text in cursor.fetchall()}
    chunks = list(Chunk.objects.filter(collection=collection).select_related("document"))
    counted: dict[int, int] = {}
    for chunk in chunks:
        terms = count_terms(
            index_text(chunk.document.title, chunk.heading_path, chunk.text, chunk.head)
        )
        assert chunk.length == terms.length
        assert sorted(chunk.terms) == sorted(terms.counts)
        assert weights[chunk.pk] == pytest.approx(weigh(terms, average), rel=1e-4)
        for term in terms.counts:
            counted[term] = counted.get(term, 0) + 1
    assert (n, length) == (len(chunks), sum(chunk.length for chunk in chunks))
    assert stored == counted
    assert all(term < TERM_SPACE for term in stored)


def check(user: User, collection: Collection, seed: int, steps: int) -> None:
    run_workers(user, collection, seed, steps)
    recount(collection)
    assert Chunk.objects.filter(collection=collection).exists()
    # To the last passage and back: nothing is left over.
    for document in list(collection.documents.all()):
        services.delete_document(document)
    recount(collection)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from term_df where collection_id = %s", [collection.pk])
        assert cursor.fetchone() == (0,)


def test_a_recount_gives_the_statistics_that_are_stored(alice: User, handbook: Collection) -> None:
    check(alice, handbook, seed=1, steps=8)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(2, 8))
def test_a_recount_after_many_more_steps(alice: User, handbook: Collection, seed: int) -> None:
    check(alice, handbook, seed, steps=40)
