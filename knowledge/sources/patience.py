"""How long pages that cannot be read keep others from being taken as gone.

Nobody knows where they lead. So nothing is gone in a visit that meets one, until it has been unread
in so many visits in a row while the site answered otherwise: then it holds nothing back any more.
"""

from collections.abc import Mapping

from knowledge.sources.connector import key_of

ENOUGH = 5  # visits
MOST = 1_000  # pages that are counted; what is beyond holds back
COUNTED = "unread"  # where a source's cursor has them


class Patience:
    """Of one visit; `cursor` is what the visit before has left."""

    def __init__(self, cursor: Mapping[str, object]) -> None:
        before = cursor.get(COUNTED)
        self._before: dict[str, int] = dict(before) if isinstance(before, dict) else {}
        self._unread: set[str] = set()
        self._is_site_in_trouble = False
        self._has_answered = False

    def note_answer(self) -> None:
        """A page was read: the site is there."""
        self._has_answered = True

    def note_unread(self, address: str) -> None:
        self._unread.add(str(key_of(address)))

    def note_trouble(self) -> None:
        """Of the site as a whole, however often."""
        self._is_site_in_trouble = True

    @property
    def has_given_up(self) -> bool:
        """Whether pages are passed over that have been unread for too long."""
        return bool(self._unread)

    @property
    def is_over(self) -> bool:
        """Whether what was not met is gone."""
        counts = self.counts()
        is_patient = (
            len(counts) < len(self._unread) or min(counts.values(), default=ENOUGH) < ENOUGH
        )
        return not self._is_site_in_trouble and not is_patient

    def counts(self) -> dict[str, int]:
        """In how many visits in a row, this one among them, each of them was unread."""
        return {
            key: min(self._before.get(key, 0) + self._has_answered, ENOUGH)
            for key in sorted(self._unread, key=lambda key: (-self._before.get(key, 0), key))[:MOST]
        }

    def cursor(self) -> dict[str, object]:
        """For the next visit; where the site was in trouble, nothing is known of those not met."""
        counts = {**(self._before if self._is_site_in_trouble else {}), **self.counts()}
        return {COUNTED: counts} if counts else {}
