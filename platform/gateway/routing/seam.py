"""The seam of an answer that a second endpoint goes on with: what it says again is dropped.

The second endpoint is asked to repeat the last words of what was said and to go on from there
(`anchor_of`). Does it begin with them, just they are dropped. Has it begun further back, or at the
start, the longest beginning that ends the text so far is dropped, if it is long enough to be no
accident. Nothing else ever is: a doubled word is seen, a lost one is not. Spaces and line breaks
do not matter when texts are compared, nor quotation marks in front.
"""

ANCHOR = 60  # characters that the second endpoint is asked to repeat
SHORTEST = 12  # characters of a repetition that nobody asked for
WRAPPING = "\"'“”‘’«»`…."


def anchor_of(said: str) -> str:
    """The last words of a text, whole ones where they are separated."""
    text = said.rstrip()
    if len(text) <= ANCHOR:
        return text.lstrip()
    _torn, space, words = text[-ANCHOR:].partition(" ")
    return words if space and len(words) > ANCHOR // 2 else text[-ANCHOR:]


class Seam:
    """Takes the second text as it comes and gives back what of it is new.

    Holds back only what may still turn out to be said already; `close` gives what is left.
    """

    def __init__(self, said: str) -> None:
        self._said = _letters(said)
        self._anchor = _letters(anchor_of(said))
        self._blank = said[len(said.rstrip()) :]
        self._held = ""
        self._key = ""
        self._ends: list[int] = []  # where in `_held` each letter of `_key` ends
        self._is_closed = not self._anchor

    def feed(self, text: str) -> str:
        if self._is_closed:
            return text
        offset = len(self._held)
        self._held += text
        for n, letter in enumerate(text):
            if not letter.isspace():
                self._key += letter
                self._ends.append(offset + n + 1)
        return "" if self._may_go_on() else self.close()

    def close(self) -> str:
        """What was held back, without the repetition."""
        if self._is_closed:
            return ""
        self._is_closed = True
        return self._held[self._end_of_repetition() :]

    def _may_go_on(self) -> bool:
        """Whether more text could make a longer repetition, or is needed to cut it exactly."""
        return any(self._is_open(skipped) for skipped in self._starts())

    def _is_open(self, skipped: int) -> bool:
        key = self._key[skipped:]
        if key.startswith(self._anchor):
            return self._is_blank_open(skipped + len(self._anchor))
        if self._anchor.startswith(key):
            return True
        if 0 <= self._said.find(key) < len(self._said) - len(key):
            return True
        repeated = self._repeated(key)
        return bool(repeated) and self._is_blank_open(skipped + repeated)

    def _is_blank_open(self, letters: int) -> bool:
        """Whether the blank that ends the text so far may still be repeated further."""
        if letters < len(self._key):
            return False
        return len(self._held) - self._ends[letters - 1] < len(self._blank)

    def _end_of_repetition(self) -> int:
        for skipped in self._starts():
            key = self._key[skipped:]
            is_as_asked = key.startswith(self._anchor)
            repeated = len(self._anchor) if is_as_asked else self._repeated(key)
            if repeated:
                end = self._ends[skipped + repeated - 1]
                return end + _common(self._held[end:], self._blank)
        return 0

    def _repeated(self, key: str) -> int:
        """The length of the longest beginning of `key` that the text so far ends with."""
        said, first, last = self._said, key[:SHORTEST], self._said[-SHORTEST:]
        length = min(len(key), len(said))
        # It can only end where the last letters stand: long texts are not compared in vain.
        while length >= SHORTEST and (at := key.rfind(last, 0, length)) >= 0:
            length = at + SHORTEST
            if said.startswith(first, len(said) - length) and said.endswith(key[:length]):
                return length
            length -= 1
        return 0

    def _starts(self) -> tuple[int, ...]:
        """Where the second text may begin in earnest: at once, or behind quotation marks."""
        wrapped = len(self._key) - len(self._key.lstrip(WRAPPING))
        return (0, wrapped) if wrapped else (0,)


def _letters(text: str) -> str:
    return "".join(text.split())


def _common(text: str, blank: str) -> int:
    """How many characters of the blank the text begins with."""
    length = 0
    for mine, theirs in zip(text, blank, strict=False):
        if mine != theirs:
            break
        length += 1
    return length
