"""What is read once in two seconds, by whoever asks, and beside those who ask often."""

import asyncio
import logging
import threading

import pytest

from observability.patience import run_patiently
from observability.remembered import MOST, Remembered, look_ahead

pytestmark = pytest.mark.django_db(transaction=True)  # it is read in a thread with a connection


class Counted:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def __call__(self, *key: str) -> tuple[str, int]:
        if self.error:
            raise self.error
        self.asked += 1
        return "".join(key), self.asked


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def remembered(counted: Counted) -> Remembered[tuple[str, int]]:
    return Remembered(counted)


def grown_old(remembered: Remembered, *key: str, is_over: bool = False) -> None:
    known = remembered._known[key]
    remembered._known[key] = known._replace(
        renewed_at=0.0, ends_at=0.0 if is_over else known.ends_at
    )


def test_it_is_read_once_for_each_key(remembered, counted):
    async def asked():
        return [await remembered.get(name) for name in ("a", "a", "b", "a")]

    assert asyncio.run(asked()) == [("a", 1), ("a", 1), ("b", 2), ("a", 1)]
    assert remembered.get_now("b") == remembered.recent("b") == ("b", 2)
    assert remembered.recent("c") is None
    assert counted.asked == 2


def test_of_what_grows_old_nobody_waits_for_the_new(remembered, counted):
    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a")
        found = [await remembered.get("a") for _ in range(5)]
        await asyncio.gather(*remembered._reading.values())
        return found, await remembered.get("a")

    found, later = asyncio.run(asked())
    assert found == [("a", 1)] * 5
    assert later == ("a", 2)


def test_what_is_too_old_is_read_once_and_waited_for_by_all(remembered, counted):
    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a", is_over=True)
        return await asyncio.gather(*(remembered.get("a") for _ in range(5)))

    assert asyncio.run(asked()) == [("a", 2)] * 5
    grown_old(remembered, "a", is_over=True)
    assert remembered.recent("a") is None
    assert remembered.get_now("a") == ("a", 3)


def test_whoever_leaves_takes_nobody_along(remembered, counted):
    async def asked():
        leaving = asyncio.create_task(remembered.get("a"))
        staying = asyncio.create_task(remembered.get("a"))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(asked()) == ("a", 1)
    assert counted.asked == 1


def test_what_is_due_together_is_read_in_one_trip(monkeypatch, counted):
    trips = []

    async def counting(function, due):
        trips.append(len(due))
        return await run_patiently(function, due)

    monkeypatch.setattr("observability.remembered.run_patiently", counting)
    some = [Remembered(counted) for _ in range(3)]

    async def asked():
        first = await asyncio.gather(*(one.get("a") for one in some))
        return first, await some[0].get("b")

    first, last = asyncio.run(asked())
    assert [name for name, _number in first] == ["a"] * 3
    assert last == ("b", 4)
    assert trips == [3, 1]


def test_what_is_read_slowly_keeps_nothing_else(remembered, counted):
    """Neither what is read in the same trip, nor what is asked for meanwhile."""
    may_end = threading.Event()
    slow = Remembered(lambda: may_end.wait(20))

    async def asked():
        first, late = await_all(remembered.get("a"), slow.get())
        found = await first, await remembered.get("b")
        may_end.set()
        return *found, await late

    def await_all(*calls):
        return [asyncio.create_task(call) for call in calls]

    assert asyncio.run(asked()) == (("a", 1), ("b", 2), True)


@pytest.mark.parametrize("turns", range(4))
def test_a_loop_that_ends_meanwhile_leaves_nothing(remembered, turns):
    async def asked():
        asking = asyncio.create_task(remembered.get("a"))
        for _ in range(turns):
            await asyncio.sleep(0)
        return asking

    asking = asyncio.run(asked())
    assert asking.done()
    assert not remembered._reading
    assert asyncio.run(remembered.get("a"))[0] == "a"


def test_a_trip_that_is_cancelled_leaves_nobody_waiting(remembered):
    async def asked():
        asking = asyncio.create_task(remembered.get("a"))
        await asyncio.sleep(0)
        (trip,) = (one for one in asyncio.all_tasks() if one.get_name() == "remembered")
        trip.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return await remembered.get("a")

    assert asyncio.run(asked())[0] == "a"


def test_an_error_is_that_of_whoever_asked(remembered, counted):
    broken = Remembered(lambda: 1 / 0)

    async def asked():
        return await asyncio.gather(remembered.get("a"), broken.get(), return_exceptions=True)

    found, error = asyncio.run(asked())
    assert found == ("a", 1)
    assert isinstance(error, ZeroDivisionError)


def test_who_knows_that_a_question_comes_has_read_what_is_too_old(remembered, counted):
    """A pause has ended: the last that was asked for is read before anybody asks."""

    async def asked():
        remembered.look_ahead()
        before = counted.asked, len(remembered._reading)  # nobody has asked for anything yet
        for name in ("a", "b"):
            await remembered.get(name)
        look_ahead()
        assert not remembered._reading  # it is new enough
        for name in ("a", "b"):
            grown_old(remembered, name, is_over=True)
        look_ahead()
        await asyncio.gather(*remembered._reading.values())
        return before, [await remembered.get(name) for name in ("b", "a")]

    assert asyncio.run(asked()) == ((0, 0), [("b", 3), ("a", 4)])


def test_a_change_while_it_is_read_makes_it_be_read_again(remembered, counted):
    async def asked():
        before = asyncio.create_task(remembered.get("a"))
        await asyncio.sleep(0)  # it is on its way
        remembered.forget()
        return await remembered.get("a"), await before

    after, before = asyncio.run(asked())
    assert after > before


def test_what_was_read_before_a_change_is_kept_by_nobody(counted):
    reading, may_end = threading.Event(), threading.Event()

    def read(name):
        value = counted(name)
        if counted.asked == 2:
            reading.set()
            may_end.wait(20)
        return value

    remembered = Remembered(read)

    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a")
        beside = await remembered.get("a"), *remembered._reading.values()
        await asyncio.to_thread(reading.wait, 20)
        remembered.forget()
        may_end.set()
        return beside[0], await beside[1], remembered.recent("a"), await remembered.get("a")

    assert asyncio.run(asked()) == (("a", 1), ("a", 2), None, ("a", 3))


def test_an_error_beside_is_logged_and_told_to_the_next(remembered, counted, caplog):
    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a")
        counted.error = ValueError("not a rule")
        old = await remembered.get("a")
        await asyncio.gather(*remembered._reading.values(), return_exceptions=True)
        return old, await remembered.get("a")

    with caplog.at_level(logging.WARNING), pytest.raises(ValueError, match="not a rule"):
        asyncio.run(asked())
    assert "could not be read anew: not a rule" in caplog.text
    counted.error = None
    assert asyncio.run(remembered.get("a")) == ("a", 2)


def test_names_that_nobody_has_do_not_fill_the_memory(remembered):
    for n in range(MOST + 10):
        remembered.get_now(str(n))
    assert len(remembered._known) <= MOST
