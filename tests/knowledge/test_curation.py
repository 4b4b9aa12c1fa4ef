"""`knowledge.curation`: edits of passages, found at once, taken back, and made again."""

import threading

import pytest
from django.db import connection, connections

from accounts.models import User
from agents.selectors import verify_quotes
from agents.types import CitationAdded
from knowledge import retrieval, services, storage
from knowledge.curation import editing
from knowledge.curation.errors import EditConflict, EditRefused
from knowledge.models import Chunk, Collection, Document, DocumentText, Embedding, PassageEdit
from security.models import AuditEntry
from tests.knowledge.conftest import AddText, run_job

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = """# Leave

Every employee has 25 days of leave. Ask four weeks ahead.

# Travel

Trains are prefered to planes.

# Coffee

The kitchen closes at six.
"""


@pytest.fixture
def policy(handbook: Collection, add_text: AddText) -> Document:
    return add_text(handbook, TEXT)


def texts(document: Document) -> list[str]:
    return list(document.chunks.order_by("position").values_list("text", flat=True))


def passage(document: Document, words: str) -> Chunk:
    return document.chunks.get(text__contains=words)


def index_again(document: Document, text: str = "") -> None:
    if text:
        storage.path_of(document.pk).write_text(text)
    services.reindex_document(document)
    run_job(document)
    assert document.status == Document.Status.READY, document.reason


def check_whole(document: Document) -> None:
    """Every passage is the stored text, numbered without a gap, with its vector; and the term
    statistics are what a recount gives."""
    text = DocumentText.objects.get(document=document).text
    chunks = list(document.chunks.order_by("position"))
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.text == text[chunk.start : chunk.end] for chunk in chunks)
    document.refresh_from_db()
    assert document.chunk_count == len(chunks)
    assert Embedding.objects.filter(chunk__document=document).count() == len(chunks)
    with connection.cursor() as cursor:
        cursor.execute("select term, df from term_df order by term")
        kept = cursor.fetchall()
        cursor.execute(
            "select term, count(*) from knowledge_chunk, unnest(terms) as term"
            " group by term order by term"
        )
        assert kept == cursor.fetchall()
        cursor.execute("select n, sum_length from lexical_statistics")
        n, length = cursor.fetchone()
    assert (n, length) == (len(chunks), sum(chunk.length for chunk in chunks))


def found(user: User, query: str) -> list[str]:
    return [p.text for p in retrieval.search(user, query).passages]


def test_a_corrected_passage_is_found_by_its_new_words_at_once(alice, policy) -> None:
    old = passage(policy, "prefered")
    edit = editing.correct(alice, policy, old.pk, "Trains are preferred to zeppelins.")
    assert texts(policy)[1] == "Trains are preferred to zeppelins."
    assert found(alice, "zeppelins")[0] == "Trains are preferred to zeppelins."
    assert not any("prefered" in text for text in found(alice, "prefered planes"))
    check_whole(policy)
    assert (edit.made_by, edit.quote) == (alice, "Trains are prefered to planes.")
    entry = AuditEntry.objects.get(act="passage.edited", object_id=str(policy.pk))
    assert (entry.actor_id, entry.detail["kind"]) == (alice.pk, "correct")

    editing.undo(alice, edit)
    assert texts(policy)[1] == "Trains are prefered to planes."
    assert not found(alice, "zeppelins") or "zeppelins" not in found(alice, "zeppelins")[0]
    check_whole(policy)
    edit.refresh_from_db()
    assert editing.undo(alice, edit).pk == edit.pk  # twice is once
    assert (edit.state, edit.undone_by) == ("undone", alice)


def test_citations_hold_before_and_after_an_edit(alice, policy) -> None:
    def cited(chunk: Chunk) -> CitationAdded:
        return CitationAdded(
            1, policy.pk, chunk.pk, "t", (), chunk.text, chunk.start, chunk.end, None
        )

    before = cited(passage(policy, "prefered"))
    edit = editing.correct(alice, policy, before.chunk_id, "Trains are preferred.")
    after = cited(passage(policy, "preferred."))
    assert verify_quotes([before, after]) == [True, True]
    index_again(policy)
    assert verify_quotes([before, after]) == [True, True]
    editing.undo(alice, edit)
    index_again(policy)
    assert verify_quotes([before, after]) == [True, True]
    check_whole(policy)


def test_split_merge_exclude_and_add(alice, policy) -> None:
    leave = passage(policy, "25 days")
    editing.split(alice, policy, leave.pk, leave.text.index("Ask"))
    assert texts(policy)[:2] == ["Every employee has 25 days of leave.", "Ask four weeks ahead."]
    check_whole(policy)

    ask, travel = passage(policy, "Ask four"), passage(policy, "prefered")
    merged = editing.merge(alice, policy, ask.pk, travel.pk)
    assert texts(policy)[1].startswith("Ask four weeks ahead.")
    assert texts(policy)[1].endswith("Trains are prefered to planes.")
    check_whole(policy)

    coffee = passage(policy, "kitchen")
    added = editing.add(alice, policy, coffee.pk, "Tea is in the blue cupboard.")
    editing.add(alice, policy, None, "Begin here.")
    excluded = editing.exclude(alice, policy, coffee.pk)
    assert texts(policy)[0] == "Begin here."
    assert texts(policy)[-1] == "Tea is in the blue cupboard."
    assert "kitchen" not in " ".join(found(alice, "When does the kitchen close?"))
    check_whole(policy)

    editing.undo(alice, excluded)
    assert texts(policy)[-2:] == ["The kitchen closes at six.", "Tea is in the blue cupboard."]
    editing.undo(alice, merged)
    assert len(texts(policy)) == 6
    editing.undo(alice, added)
    assert texts(policy)[-1] == "The kitchen closes at six."
    check_whole(policy)


def test_edits_survive_indexing_also_of_a_changed_file(alice, policy) -> None:
    leave = passage(policy, "25 days")
    editing.split(alice, policy, leave.pk, leave.text.index("Ask"))
    editing.correct(alice, policy, passage(policy, "Ask four").pk, "Ask five weeks ahead.")
    editing.add(alice, policy, passage(policy, "Ask five").pk, "Ask Bob.")
    editing.exclude(alice, policy, passage(policy, "kitchen").pk)
    editing.correct(alice, policy, passage(policy, "prefered").pk, "Trains are preferred.")
    wanted = texts(policy)
    index_again(policy)
    assert texts(policy) == wanted
    check_whole(policy)

    index_again(policy, "# News\n\nWe have moved.\n\n" + TEXT.replace("prefered", "better"))
    assert texts(policy) == [
        "We have moved.", "Every employee has 25 days of leave.", "Ask five weeks ahead.",
        "Ask Bob.", "Trains are better to planes.",
    ]  # fmt: skip
    check_whole(policy)
    (lost,) = PassageEdit.objects.filter(state="lost")
    assert (lost.quote, lost.text) == ("Trains are prefered to planes.", "Trains are preferred.")

    index_again(policy, TEXT)  # its words are back
    assert texts(policy) == wanted
    check_whole(policy)


def test_who_edits_what_was_edited_meanwhile_hears_of_it(alice, bob, policy) -> None:
    seen = passage(policy, "25 days")
    editing.correct(alice, policy, seen.pk, "Every employee has 26 days of leave.")
    for late in (
        lambda: editing.correct(bob, policy, seen.pk, "27 days"),
        lambda: editing.split(bob, policy, seen.pk, 10),
        lambda: editing.exclude(bob, policy, seen.pk),
        lambda: editing.add(bob, policy, seen.pk, "More."),
        lambda: editing.merge(bob, policy, seen.pk, passage(policy, "prefered").pk),
    ):
        with pytest.raises(EditConflict):
            late()
    assert texts(policy)[0] == "Every employee has 26 days of leave."
    services.reindex_document(policy)
    with pytest.raises(EditConflict, match="being indexed"):
        editing.exclude(bob, policy, passage(policy, "kitchen").pk)


def test_of_edits_at_the_same_moment_one_is_made(alice, policy) -> None:
    seen = passage(policy, "25 days")
    together = threading.Barrier(4)
    outcomes: list[str] = []

    def edit(n: int) -> None:
        together.wait()
        try:
            editing.correct(alice, policy, seen.pk, f"Every employee has {n} days.")
            outcomes.append("made")
        except EditConflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=edit, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "made"]
    assert PassageEdit.objects.count() == 1
    check_whole(policy)


def test_what_makes_no_sense_is_refused_with_words(alice, policy) -> None:
    leave, coffee = passage(policy, "25 days"), passage(policy, "kitchen")
    for refused in (
        lambda: editing.correct(alice, policy, leave.pk, "  \n "),
        lambda: editing.correct(alice, policy, leave.pk, leave.text),
        lambda: editing.correct(alice, policy, leave.pk, "x" * 20_001),
        lambda: editing.split(alice, policy, leave.pk, 0),
        lambda: editing.split(alice, policy, leave.pk, len(leave.text)),
        lambda: editing.merge(alice, policy, coffee.pk, leave.pk),
    ):
        with pytest.raises(EditRefused):
            refused()
    first = editing.correct(alice, policy, leave.pk, "26 days")
    editing.correct(alice, policy, passage(policy, "26 days").pk, "27 days")
    with pytest.raises(EditRefused, match="Undo that first"):
        editing.undo(alice, first)
    check_whole(policy)
