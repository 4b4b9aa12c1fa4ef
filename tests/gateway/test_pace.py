"""How often answers are read: one timer for all, the connection paused, never for a flood."""

import asyncio

from gateway.upstream.pace import LONGEST_PAUSE, MOST_AT_ONCE, READ_SECONDS, Pace


class Line:
    """A transport that notes what is asked of it."""

    def __init__(self):
        self.acts = []
        self.is_closed = False

    def is_closing(self):
        return self.is_closed

    def pause_reading(self):
        self.acts.append("pause")

    def resume_reading(self):
        self.acts.append("resume")


def test_all_calls_rest_until_the_same_tick():
    async def scenario():
        pace, loop = Pace(), asyncio.get_running_loop()
        ticks = []
        tick, pace._tick = pace._tick, lambda: (ticks.append(loop.time()), tick())
        lines = [Line() for _ in range(MOST_AT_ONCE)]
        await asyncio.gather(*(pace.rest(line) for line in lines))
        assert len(ticks) == 1
        assert all(line.acts == ["pause", "resume"] for line in lines)

    asyncio.run(scenario())


def test_the_window_grows_with_the_open_calls_up_to_a_limit():
    pace = Pace()
    assert pace.window == READ_SECONDS
    pace.calls = 100
    assert READ_SECONDS < pace.window < LONGEST_PAUSE
    pace.calls = 100_000
    assert pace.window == LONGEST_PAUSE


def test_a_connection_that_is_gone_is_not_waited_for_and_one_left_early_reads_again():
    async def scenario():
        pace, gone, left = Pace(), Line(), Line()
        gone.is_closed = True
        await pace.rest(gone)
        await pace.rest(None)
        assert gone.acts == []
        resting = asyncio.create_task(pace.rest(left))
        await asyncio.sleep(0)
        resting.cancel()
        await asyncio.gather(resting, return_exceptions=True)
        assert left.acts == ["pause", "resume"]
        await pace.rest(Line())  # the tick has no trouble with those who left

    asyncio.run(scenario())


def test_of_many_answers_a_share_is_read_at_once_and_everybody_within_a_window_or_two():
    async def scenario():
        pace = Pace()
        pace.calls = 4 * MOST_AT_ONCE
        shares = []
        tick = pace._tick

        def counted():
            before = len(pace._waiting)
            tick()
            shares.append(before - len(pace._waiting))

        pace._tick = counted
        await asyncio.gather(*(pace.rest(Line()) for _ in range(pace.calls)))
        assert shares == [MOST_AT_ONCE] * 4

    asyncio.run(scenario())
