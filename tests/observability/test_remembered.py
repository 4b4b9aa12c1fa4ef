"""What is read once in two seconds, by whoever asks, and beside those who ask often."""

import asyncio
import logging

import pytest

from observability.remembered import MOST, Remembered

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
        await asyncio.gather(*remembered._reading)
        return found, await remembered.get("a")

    found, later = asyncio.run(asked())
    assert found == [("a", 1)] * 5
    assert later == ("a", 2)


def test_what_is_too_old_is_waited_for_by_one(remembered, counted):
    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a", is_over=True)
        return await asyncio.gather(*(remembered.get("a") for _ in range(5)))

    assert asyncio.run(asked()) == [("a", 2)] + [("a", 1)] * 4
    grown_old(remembered, "a", is_over=True)
    assert remembered.recent("a") is None
    assert remembered.get_now("a") == ("a", 3)


def test_what_was_read_before_a_change_is_kept_by_nobody(remembered, counted):
    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a")
        await remembered.get("a")
        await asyncio.sleep(0)  # it begins to read
        remembered.forget()
        await asyncio.gather(*remembered._reading)
        return remembered.recent("a"), await remembered.get("a")

    assert asyncio.run(asked()) == (None, ("a", 3))


def test_an_error_beside_is_logged_and_told_to_the_next(remembered, counted, caplog):
    async def asked():
        await remembered.get("a")
        grown_old(remembered, "a")
        counted.error = ValueError("not a rule")
        old = await remembered.get("a")
        await asyncio.gather(*remembered._reading, return_exceptions=True)
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
