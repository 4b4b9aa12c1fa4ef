"""Documents as tools: what is found and read, by whom, and what goes with it into the run."""

import pytest

from accounts.services import everyone, share
from agents.selectors import verify_quotes
from agents.tools.types import Taint, ToolRefused
from agents.types import AttachedFile, CitationAdded
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge import services
from knowledge.models import Collection
from security.ids import new_id
from tests.agents.tools.conftest import Call
from tests.knowledge.conftest import AddText
from tests.support.attached import attached
from tests.support.cast import SECRET_WORDS

pytestmark = pytest.mark.django_db(transaction=True)
TEA = f"# Tea\n\nTea is served at four o'clock.\n\n## Board\n\nNobody knows of {SECRET_WORDS}.\n"
LONG = "# Log\n\n" + "\n\n".join(f"Entry {n}: the wind came from the west." for n in range(400))


def test_passages_are_found_and_can_be_cited(
    alice, handbook: Collection, add_text: AddText, call: Call
) -> None:
    document = add_text(handbook, TEA, "tea.md")
    found = call(alice, "search_documents", query="When is tea served?")
    part = found.passages[0].first
    assert "four o'clock" in found.passages[0].text
    assert f"document {document.pk}, characters {part.start}-" in found.text
    assert "four o'clock" not in found.text  # the loop quotes it, under its number
    assert found.data["passages"][0]["document_id"] == str(document.pk)
    assert found.taints == {Taint.UNTRUSTED, Taint.PRIVATE}
    assert found.readers == {handbook.pk}
    cited = CitationAdded(
        1, part.document_id, part.chunk_id, "", (), part.text, part.start, part.end, None
    )
    assert verify_quotes([cited]) == [True]
    assert found.found.trace[0].document_id == document.pk  # for whoever asks why
    assert found.found.passages == ()
    assert call(alice, "search_documents", query="xyzzy plugh").passages == ()


def test_what_everybody_may_read_is_not_private(
    alice, handbook: Collection, add_text: AddText, call: Call
) -> None:
    add_text(handbook, TEA)
    share(handbook, everyone(), "reader", by=alice)
    found = call(alice, "search_documents", query="tea")
    assert found.taints == {Taint.UNTRUSTED}
    assert found.readers == frozenset()


def test_an_outsider_learns_nothing(
    alice, charlie, handbook: Collection, add_text: AddText, call: Call
) -> None:
    document = add_text(handbook, TEA)
    found = call(charlie, "search_documents", query="Who knows of the merger?")
    assert found.passages == ()
    assert SECRET_WORDS not in str(found)
    refusals = []
    for document_id in (document.pk, new_id()):
        with pytest.raises(ToolRefused) as refused:
            call(charlie, "read_document", document_id=str(document_id))
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]
    # Nor by naming the collection as the agent's or the conversation's.
    named = {"collections": (handbook.pk,)}
    assert call(charlie, "search_documents", query="tea", agent=named).passages == ()
    assert call(charlie, "search_documents", query="tea", task=named).passages == ()
    share(handbook, charlie, "reader", by=alice)
    read = call(charlie, "read_document", document_id=str(document.pk))
    assert "four" in str(read.passages)
    assert read.documents == {document.pk}  # its words go when it does


def test_agent_and_conversation_are_limits(
    alice, handbook: Collection, add_text: AddText, call: Call
) -> None:
    document = add_text(handbook, TEA)
    other = services.create_collection(alice, "Other")
    add_text(other, "# Coffee\n\nCoffee is served at eight.")
    asked = {"document_id": str(document.pk)}
    for limits in ({"agent": {"collections": (other.pk,)}}, {"task": {"collections": (other.pk,)}},
                   {"agent": {"is_limited": True}}):  # fmt: skip
        found = call(alice, "search_documents", query="When is tea served?", **limits)
        assert "four" not in str(found)
        with pytest.raises(ToolRefused, match="No document"):
            call(alice, "read_document", **asked, **limits)
    assert "four" in str(call(alice, "read_document", **asked).passages)


def test_a_long_document_is_read_on_and_on(
    alice, handbook: Collection, add_text: AddText, call: Call
) -> None:
    document = add_text(handbook, LONG)
    text, start = "", 0
    while True:
        read = call(alice, "read_document", document_id=str(document.pk), start=start, length=5000)
        stretches = [part for one in read.passages for part in one.parts]
        assert stretches[0].start == start
        text += "".join(part.text for part in stretches)
        start = stretches[-1].end
        if "Read on" not in read.text:
            break
        assert f"Read on with start={start}." in read.text
    assert text == document.extracted.text
    with pytest.raises(ToolRefused, match="ends at character"):
        call(alice, "read_document", document_id=str(document.pk), start=10**6)
    with pytest.raises(ToolRefused, match="no such page"):
        call(alice, "read_document", document_id=str(document.pk), page=3)
    with pytest.raises(ToolRefused, match="length"):
        call(alice, "read_document", document_id=str(document.pk), length=10**6)


def test_files_of_other_conversations_are_not_read_here(
    alice, call: Call, add_text: AddText
) -> None:
    file = attached(alice, b"Tea at five.", "note.txt")
    asked = {"document_id": str(file.pk)}
    with pytest.raises(ToolRefused, match="No document"):
        call(alice, "read_document", **asked)
    here = AttachedFile(file.pk, file.collection_id, "note.txt")
    read = call(alice, "read_document", **asked, task={"attachments": (here,)})
    assert [one.text for one in read.passages] == ["Tea at five."]
    assert read.readers == {file.collection_id}


def test_labels_of_a_collection_hold_for_what_tools_find(
    alice, handbook: Collection, add_text: AddText, call: Call
) -> None:
    document = add_text(handbook, TEA)
    Collection.objects.filter(pk=handbook.pk).update(required_labels=["house"])
    found = call(alice, "search_documents", query="tea")
    assert [one.label for one in found.demands] == ["house"]
    endpoint = Endpoint.objects.create(name="cloud", base_url="http://127.0.0.1:9")
    model = Model.objects.create(name="m", is_default=True)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="m")
    forget_routes()
    try:
        for name, asked in (("search_documents", {"query": "tea"}),
                            ("read_document", {"document_id": str(document.pk)})):  # fmt: skip
            with pytest.raises(ToolRefused, match="house"):
                call(alice, name, **asked)
    finally:
        forget_routes()
