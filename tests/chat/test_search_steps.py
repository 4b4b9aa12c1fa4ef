"""What readers are told of a search while it runs."""

from agents.types import PassagesReranked, QuerySearched
from chat.turns.payloads import SEARCHING
from chat.turns.progress import rebuild
from chat.visibility import documents_in, without_hidden
from tests.agents.passages import passage

FOUND = passage("The lamp is lit at dusk.", 40, page=2)
OTHER = passage("Petrol is sold by the pier.", document="pier")


def test_one_of_several_queries_names_only_documents_that_the_reader_may_see() -> None:
    told = SEARCHING[QuerySearched][1](QuerySearched("lamp", "part", 7, 1.5, (FOUND, OTHER)))
    assert told["count"] == 7
    assert told["passages"][0] == {
        "document_id": str(FOUND.document_id), "title": "Handbook", "heading_path": ["Chapter"],
        "page": 2, "start": 40, "end": FOUND.end,
    }  # fmt: skip
    named = documents_in("query_searched", told)
    assert named == {str(FOUND.document_id), str(OTHER.document_id)}
    left = without_hidden("query_searched", told, {str(OTHER.document_id)})
    assert left is not None
    assert [one["title"] for one in left["passages"]] == ["Pier"]


def test_the_steps_of_a_search_outlive_the_process() -> None:
    step = PassagesReranked("endpoint", "ranker", 30, 12.5, "late")
    kind, payload_of = SEARCHING[PassagesReranked]
    payload = payload_of(step)
    assert payload == {
        "way": "endpoint", "model": "ranker", "depth": 30, "took_ms": 12.5, "trouble": "late",
    }  # fmt: skip
    rows = [(1, kind, payload, False), (2, "query_searched", {"passages": []}, False)]
    assert [one["kind"] for one in rebuild(rows).steps] == [kind, "query_searched"]
