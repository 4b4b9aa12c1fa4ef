"""How far a call is: told at a pace people can read, cut, cleaned, and nothing after its end."""

import asyncio

from agents.tools.progress import LONGEST, Progress, readable
from agents.types import ToolProgressed


def test_the_newest_is_told_and_not_too_often() -> None:
    told: list[ToolProgressed] = []

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        progress = Progress("call_1", told.append)
        for n in range(1, 200):
            progress(f"part {n}", n, 200)
            await asyncio.sleep(0.005)
        progress("the last one", 200, 200)
        while told[-1].text != "the last one":  # noqa: ASYNC110 - told by a timer
            await asyncio.sleep(0.01)
        took = loop.time() - began
        progress.close()
        progress("after its end", 201, 200)
        await asyncio.sleep(0)
        return took

    took = asyncio.run(scenario())
    assert told[-1] == ToolProgressed("call_1", "the last one", 200, 200)
    assert told[0].done is not None
    assert len(told) <= 2 * took + 2


def test_what_waits_is_not_told_once_the_call_has_ended() -> None:
    told: list[ToolProgressed] = []

    async def scenario() -> None:
        progress = Progress("call_1", told.append)
        progress("one")
        progress.close()
        await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert told == []


def test_words_of_others_are_one_short_line() -> None:
    assert readable("a\n\u202eb\t c\0") == "a b c"
    assert readable("x" * 5000) == "x" * (LONGEST - 1) + "…"


def test_numbers_that_count_nothing_are_left_out() -> None:
    told: list[ToolProgressed] = []

    async def scenario() -> None:
        Progress("1", told.append)("", float("nan"), float("inf"))
        Progress("2", told.append)("", -1, 1e300)
        await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert {(one.done, one.total) for one in told} == {(None, None)}
