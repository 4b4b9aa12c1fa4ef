import pytest

from agents.models import Agent
from agents.selectors import agent_spec, verify_quotes
from agents.services import DOCUMENTS, ensure_builtin_agents
from agents.types import CitationAdded
from knowledge.models import Collection, Document, DocumentText, Source
from security.ids import new_id

TEXT = "Runners claim turns. 租约持续三十秒。 A fence grows. 🚀 ends."


@pytest.fixture
def document(alice):
    collection = Collection.objects.create(owner=alice, name="Handbook")
    source = Source.objects.create(collection=collection, name="Upload")
    document = Document.objects.create(
        collection=collection,
        source=source,
        title="Runner",
        file_name="runner.md",
        size=1,
        sha256="0" * 64,
    )
    DocumentText.objects.create(document=document, text=TEXT)
    return document


def citation(document_id, quote, start=None):
    start = TEXT.index(quote) if start is None else start
    return CitationAdded(
        1, document_id, new_id(), "Runner", (), quote, start, start + len(quote), None
    )


def test_56_quotes_are_compared_with_the_stored_text_byte_for_byte(document):
    found = [
        citation(document.id, "租约持续三十秒。"),
        citation(document.id, "🚀 ends."),
        citation(document.id, "A fence grows.", start=3),
        citation(document.id, "a fence grows.", start=TEXT.index("A fence")),
        citation(new_id(), "A fence grows."),
    ]
    assert verify_quotes(found) == [True, True, False, False, False]


def test_52_nothing_is_verified_in_a_document_that_was_deleted(document):
    found = citation(document.id, "A fence grows.")
    document.delete()
    assert verify_quotes([found]) == [False]


def test_the_builtin_agent_is_made_once_for_everyone_and_edits_stay(alice, charlie):
    agent = ensure_builtin_agents(alice)
    agent.instructions = "Be brief."
    agent.save()
    assert ensure_builtin_agents(charlie).pk == agent.pk
    (seen,) = Agent.objects.visible_to(charlie)
    assert (seen.slug, seen.instructions) == (DOCUMENTS, "Be brief.")
    assert not Agent.objects.editable_by(charlie).exists()


def test_a_spec_holds_all_that_a_run_needs(alice, document, django_assert_num_queries):
    agent = ensure_builtin_agents(alice)
    agent.collections.add(document.collection)
    with django_assert_num_queries(1):
        spec = agent_spec(agent)
    assert spec.collections == (document.collection_id,)
    assert (spec.slug, spec.max_passages) == (agent.slug, agent.max_passages)
