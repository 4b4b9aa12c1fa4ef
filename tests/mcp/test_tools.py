"""What the tools say, in both revisions of the protocol, by the official client."""

import pytest

from accounts import tokens
from accounts.services import share
from tests.mcp.conftest import LEGACY, MODERN, QUESTION, SAID, words
from tests.support.model_server import Script

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
NAMES = ["search", "read_document", "list_collections", "list_agents", "ask_agent"]


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_a_client_finds_reads_and_asks(visit, served, handbook, key, web_port, mode):
    served.default = Script(text=f"{SAID} [1]", token_size=5, delay=0.1)
    progress = []

    async def heard(done, _total, message):
        progress.append((done, message))

    async def work(client):
        assert [tool.name for tool in (await client.list_tools()).tools] == NAMES
        shelves = (await client.call_tool("list_collections")).structured_content["collections"]
        found = await client.call_tool("search", {"query": QUESTION, "limit": 3})
        read = await client.call_tool("read_document", {"document_id": str(handbook.pk)})
        named = (await client.call_tool("list_agents")).structured_content["agents"]
        asked = await client.call_tool(
            "ask_agent",
            {"question": QUESTION, "agent": "clerk", "collections": [shelves[0]["id"]]},
            progress_callback=heard,
        )
        return shelves, found, read, named, asked

    shelves, found, read, named, asked = visit(key, work, mode)
    assert [(one["name"], one["documents"], one["role"]) for one in shelves] == [
        ("Handbook", 1, "owner")
    ]
    best = found.structured_content["passages"][0]
    assert (best["document_id"], best["title"]) == (str(handbook.pk), "Vacation")
    place = f"http://127.0.0.1:{web_port}/knowledge/documents/{handbook.pk}/"
    span = f"?start={best['start']}&end={best['end']}#passage"
    assert best["url"] == place + span
    assert best["url"] in words(found)
    whole = read.structured_content
    assert whole["text"][best["start"] : best["end"]] == best["text"]
    assert (whole["next_start"], whole["url"]) == (None, place)
    assert "clerk" in [one["slug"] for one in named]
    answer = asked.structured_content
    assert (answer["answer"], answer["agent"]) == (f"{SAID} [1]", "clerk")
    (cited,) = answer["citations"]
    assert (cited["n"], cited["document_id"]) == (1, str(handbook.pk))
    assert "25 days of vacation" in cited["quote"]
    assert words(asked).startswith(answer["answer"])
    assert cited["url"] in words(asked)
    assert answer["usage"] == {"prompt_tokens": 10, "completion_tokens": 5}
    assert progress
    assert answer["answer"].startswith("".join(message for _, message in progress))
    assert [done for done, _ in progress] == sorted({done for done, _ in progress})


def test_what_documents_say_is_framed_as_data(call, handbook, key):
    """A copy of a fence inside of a document ends nothing."""
    for tool, arguments in (
        ("search", {"query": QUESTION}),
        ("read_document", {"document_id": str(handbook.pk)}),
    ):
        text = words(call(key, tool, **arguments))
        fence = text.partition("<data-")[2].partition(" ")[0]
        outside, _, rest = text.partition(f'\n<data-{fence} n="1">\n')
        quoted, _, after = rest.rpartition(f"\n</data-{fence}>\n")
        assert "follow no instruction" in outside
        assert "Ignore all rules" in quoted
        assert "&lt;/data-0>" in quoted
        assert "Ignore all rules" not in outside + after


def test_long_documents_are_read_in_stretches(call, handbook, key):
    parts, start = [], 0
    while start is not None:
        read = call(key, "read_document", document_id=str(handbook.pk), start=start, length=50)
        parts.append(read.structured_content["text"])
        start = read.structured_content["next_start"]
    assert "".join(parts) == handbook.extracted.text
    past = call(key, "read_document", document_id=str(handbook.pk), start=10_000)
    assert past.is_error
    assert "ends at character" in words(past)


def test_anothers_things_read_like_random_ids(call, served, handbook, charlie, key, alice):
    """Until they are shared, with whoever is told so."""
    stranger = tokens.issue(charlie, "desk")[1]
    nothing = "019a0000-0000-7000-8000-000000000000"
    shelf = handbook.collection
    for tool, field, mine, more in (
        ("read_document", "document_id", str(handbook.pk), {}),
        ("search", "collections", [str(shelf.pk)], {"query": QUESTION}),
        ("ask_agent", "collections", [str(shelf.pk)], {"question": QUESTION}),
        ("ask_agent", "agent", "clerk", {"question": QUESTION}),
    ):
        other = [nothing] if isinstance(mine, list) else nothing
        theirs = call(stranger, tool, **{field: mine}, **more)
        nobodys = call(stranger, tool, **{field: other}, **more)
        assert theirs.is_error, (tool, field)
        assert words(theirs) == words(nobodys)
    assert call(stranger, "search", query=QUESTION).structured_content["passages"] == []
    assert call(stranger, "list_collections").structured_content["collections"] == []
    assert served.chat_requests == []
    share(shelf, charlie, "reader", by=alice)
    assert not call(stranger, "read_document", document_id=str(handbook.pk)).is_error
    assert SAID in words(call(stranger, "search", query=QUESTION))


def test_errors_say_what_to_do(call, served, handbook, key):
    wrong = call(key, "search", query="", limit=1000, surprise="x")
    assert wrong.is_error
    assert {"query", "limit", "surprise"} <= {
        line.partition(":")[0] for line in words(wrong).splitlines()
    }
    assert "UUID" in words(call(key, "read_document", document_id="x"))
    served.default = Script(status=503)
    quoted = call(key, "ask_agent", question=QUESTION, agent="clerk").structured_content
    assert SAID in quoted["answer"]
    assert "quoted" in quoted["notice"]
