"""How much of an answer its sources stand behind, and the sentences that none does.

Judged by wording, numbers and, where somebody aligned them, meaning: a hint for readers and no
verdict. What cannot be judged so (code, headings, tables, questions, a few words, a translation) is
left out.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agents.aligning.details import numbers_given, numbers_told
from agents.aligning.folding import fold
from agents.aligning.sentences import Said, read_sentences
from agents.aligning.spans import SAID
from gateway.wording import Weights, is_cjk, words

CITED = 0.35  # the same share where the sentence says itself which passage it is from
FEWEST_WORDS = 4
BEGINNING = 200  # characters

_LEADS_ON = re.compile(r"[?？:：][\"'”’」』）)*_]*$")
_NO_CLAIM = re.compile(r"`[^`]*`|\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Support:
    """Of the sentences that could be judged: how many, how many have a source, which have none."""

    claims: int = 0
    supported: int = 0
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldSentence:
    """A sentence that makes a claim; `is_foreign`: not in the language of the passages."""

    said: Said
    terms: frozenset[str]
    is_foreign: bool


class Sources:
    """What an answer was given, by number, as far as judging it needs."""

    def __init__(self, passages: Mapping[int, str], question: str = "") -> None:
        """What stands in the question may be said again: its numbers are nobody's invention."""
        self._terms = {n: frozenset(words(text)) for n, text in passages.items()}
        self._numbers = {n: numbers_given(text) for n, text in passages.items()}
        self._weights = Weights(list(self._terms.values()))
        self._are_cjk = {n: is_cjk(text) for n, text in passages.items()}
        self._asked = numbers_given(question)

    def claims_in(self, text: str) -> list[ToldSentence]:
        """No questions, no few words, nothing that leads on to what follows."""
        found = []
        for said in read_sentences(text):
            terms = frozenset(words(said.text))
            if len(terms) >= FEWEST_WORDS and not _LEADS_ON.search(said.text):
                found.append(ToldSentence(said, terms, self._is_foreign(said)))
        return found

    def _is_foreign(self, said: Said) -> bool:
        """Whether those that it cites, else all of them, are in another language."""
        cited = [n for n in said.cited if n in self._are_cjk] or list(self._are_cjk)
        return is_cjk(said.text) not in {self._are_cjk[n] for n in cited}

    def stand_behind(self, claim: ToldSentence) -> bool:
        """Those that it cites together, else any single one."""
        cited = [n for n in claim.said.cited if n in self._terms]
        groups: Sequence[Sequence[int]] = [cited] if cited else [[n] for n in self._terms]
        enough = CITED if cited else SAID
        return any(
            self._share(claim, group) >= enough and self.has_numbers(claim, group)
            for group in groups
        )

    def likeliest(self, claim: ToldSentence) -> list[int]:
        """The passages that have some of its words, most of them first."""
        shares = {n: self._share(claim, [n]) for n in self._terms}
        return sorted((n for n in shares if shares[n]), key=lambda n: -shares[n])

    def has_numbers(self, claim: ToldSentence, group: Sequence[int]) -> bool:
        """Whether these passages together say every number that the sentence tells."""
        told = numbers_told(_NO_CLAIM.sub("", claim.said.text)) - self._asked
        return told <= frozenset().union(*(self._numbers[n] for n in group))

    def _share(self, claim: ToldSentence, group: Sequence[int]) -> float:
        given = frozenset().union(*(self._terms[n] for n in group))
        return self._weights.coverage(claim.terms, given)


def without_sources(text: str) -> Support:
    """What `check_support` finds in an answer to which nothing was given: no claim has a source."""
    claims = [
        said.text
        for said in read_sentences(text)
        if not (said.is_vouched or _LEADS_ON.search(said.text)) and _has_words(said.text)
    ]
    return Support(len(claims), 0, tuple(claims))


def _has_words(text: str) -> bool:
    """As many different ones as a claim has; most often its beginning says so. The last word there
    may be cut, and does not count."""
    begun = set(words(text[:BEGINNING]))
    return len(begun) > FEWEST_WORDS or len(set(words(text))) >= FEWEST_WORDS


def check_support(
    text: str,
    sources: Sources,
    *,
    proven: Collection[str] = (),
    differing: Collection[str] = (),
    only_cited: bool = False,
) -> Support:
    """`proven` are letters (`fold`) of sentences that were aligned, however little wording says;
    `differing` of those that say something else in nearly the same words."""
    judged, unsupported = 0, []
    for claim in sources.claims_in(text):
        if claim.is_foreign and claim.said.is_vouched:
            continue  # a translation: the mark that ends its paragraph has to do
        if only_cited and not claim.said.cited:
            continue
        judged += 1
        letters = fold(claim.said.text).letters
        is_said = letters in proven or sources.stand_behind(claim)
        if letters in differing or not is_said:
            unsupported.append(claim.said.text)
    return Support(judged, judged - len(unsupported), tuple(unsupported))
