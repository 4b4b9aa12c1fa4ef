"""What an agent cites that was asked, under numbers of who asked."""

from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.results import ANSWER, numbered
from agents.tools.types import Effect, ToolCalling, ToolOutput
from agents.types import PackedPassage, ToolCompleted
from tests.agents.delegating.test_bounds import (
    _connected,
    asking,
    made,
    model_server,
    of,
    pytestmark,
    run,
)
from tests.agents.passages import passage
from tests.support.model_server import Script, calling

__all__ = ["_connected", "model_server", "pytestmark"]
TIDE = passage("The tide is high at six.", 10, "tides")
FERRY = passage("The ferry leaves at noon.", 400, "ferries")
FOG = passage("Fog is rare in May.", 900, "fog")


async def tides(calling: ToolCalling) -> ToolOutput:
    """Look at the tides."""
    return ToolOutput("Tides.", passages=(PackedPassage(1, (TIDE,)),))


async def ferries(calling: ToolCalling) -> ToolOutput:
    """Look at the ferries."""
    found = (PackedPassage(1, (FOG,)), PackedPassage(2, (FERRY,)))
    return ToolOutput("Ferries.", passages=found)


def test_what_it_cites_gets_the_next_numbers_and_nothing_else_comes_along(
    alice, model_server, monkeypatch
):
    known = [tool_of(one, title="Look", effect=Effect.READS) for one in (tides, ferries)]
    monkeypatch.setattr(registry, "TOOLS", {one.name: one for one in known})
    helper = made(alice, "Helper", tools=["ferries"])
    lead = made(alice, "Lead", (helper, "ask"), tools=["tides"])
    model_server.queue(
        calling(("tides", {})),
        asking("helper"),
        calling(("ferries", {})),
        Script(text="It leaves at noon [2]. Maybe [7]."),
        Script(text="At noon [2], at high tide [1]."),
    )
    steps = run(alice, lead)
    told = model_server.chat_requests[-1]["messages"][-1]["content"]
    assert "It leaves at noon [2]. Maybe." in told  # the helper's 2 is the next one here, too
    assert 'n="2"' in told
    assert FERRY.text in told
    assert FOG.text not in told
    asked = of(steps, ToolCompleted)[-1]
    assert [(one.n, one.parts) for one in asked.passages] == [(2, (FERRY,))]
    assert [one.passages for one in of(steps, ToolCompleted) if one.parent] == [()]


def test_marks_follow_their_passages():
    passages = (PackedPassage(3, (FOG,)), PackedPassage(5, (FERRY,)))
    here = (PackedPassage(8, (FOG,)), PackedPassage(3, (FERRY,)))
    output = ToolOutput("Rare [3], at noon [5][3], no [4].", {"kind": ANSWER}, passages)
    assert numbered(output, here).text == "Rare [8], at noon [3][8], no ."
    page = ToolOutput("A page says [3].", {}, passages)
    assert numbered(page, here).text == page.text
