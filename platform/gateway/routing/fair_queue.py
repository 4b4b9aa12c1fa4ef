"""A queue in which accounts take turns: who asks a hundred times waits no longer for their first,
and nobody waits for another's hundred. Pure."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """First in, first out for each account, round robin between them."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def push(self, account: Hashable, item: T) -> None:
        self._lines.setdefault(account, deque()).append(item)
        self._length += 1

    def pop(self) -> T:
        """The next item; its account's other ones come after everybody else's first."""
        account, line = next(iter(self._lines.items()))
        item = line.popleft()
        self._length -= 1
        if line:
            self._lines.move_to_end(account)
        else:
            del self._lines[account]
        return item

    def remove(self, account: Hashable, item: T) -> None:
        """Nothing happens when it is not there any more."""
        line = self._lines.get(account)
        if line is None or item not in line:
            return
        line.remove(item)
        self._length -= 1
        if not line:
            del self._lines[account]
