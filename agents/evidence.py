"""From claims of an answer to citations that hold."""

import asyncio
from collections.abc import Iterable, Sequence

from agents.aligning.details import numbers_given
from agents.aligning.folding import fold
from agents.aligning.meaning import Embed, Meanings, Open, embed_locally
from agents.aligning.spans import SAID, Aligned, Prepared, align, strength
from agents.citations import Claim
from agents.selectors import verify_quotes
from agents.support import Sources, Support, check_support, without_sources
from agents.types import CitationAdded, PackedPassage, Verify
from knowledge.types import Passage
from observability.patience import run_patiently

MOST_CLAIMS = 500  # that are aligned for one answer; after them only what is not cited yet
MOST_PROPOSED = 200  # sentences that sources are looked for
LIKELIEST = 3  # passages by words that such a sentence is compared with
SHORT = 8000  # characters of an answer without sources: read sooner than a thread is asked
PROPOSED = 0.6  # share of its words from which a sentence may be said to be from there


async def verify_in_database(citations: list[CitationAdded]) -> list[bool]:
    return await run_patiently(verify_quotes, citations)


class Evidence:
    """Turns claims into citations: the best words of the passage, each span once, all verified.

    What computes runs in threads: no word of the answer waits for it.
    """

    def __init__(
        self,
        passages: Sequence[PackedPassage],
        verify: Verify,
        question: str = "",
        *,
        embed: Embed = embed_locally,
    ) -> None:
        self._passages: dict[int, PackedPassage] = {}
        self._parts: dict[int, list[tuple[Prepared, Passage]]] = {}
        self.add(passages)
        self._question = question
        self._asked = numbers_given(question)  # nobody's invention
        self._verify = verify
        self._meanings = Meanings(embed)
        self._seen: set[tuple[int, int, int]] = set()
        self._cited: set[int] = set()
        self._aligned = 0
        # Letters of sentences that were aligned by meaning, and of those that say something else.
        self._proven: set[str] = set()
        self._differing: set[str] = set()

    def add(self, passages: Sequence[PackedPassage]) -> None:
        """To be cited from now on; a thread that reads the old ones goes on with them."""
        self._passages = self._passages | {passage.n: passage for passage in passages}
        new = {p.n: [(Prepared(part.text), part) for part in p.parts] for p in passages}
        self._parts = self._parts | new

    @property
    def has_cited(self) -> bool:
        return bool(self._cited)

    async def for_claims(self, claims: Sequence[Claim]) -> list[CitationAdded]:
        """One for each span that is not on show yet; none where the evidence is weak beside it."""
        return await self._holding(await asyncio.to_thread(self._located, claims))

    async def proposed(self, text: str) -> list[CitationAdded]:
        """Sources of the sentences of an answer that cites nothing; none where it is uncertain."""
        if not self._passages or self._cited:
            return []
        return await self._holding(await asyncio.to_thread(self._found, text))

    async def support(self, text: str, *, of_quotations: bool = False) -> Support:
        """How much of the answer these passages stand behind; of an answer made of quotations,
        only what it quotes."""
        if not self._passages and len(text) <= SHORT:
            return without_sources(text)
        return await asyncio.to_thread(
            check_support,
            text,
            self._sources(),
            proven=self._proven,
            differing=self._differing,
            only_cited=of_quotations,
        )

    async def _holding(self, found: list[CitationAdded]) -> list[CitationAdded]:
        if not found:
            return []
        verdicts = await self._verify(found)
        held = [citation for citation, holds in zip(found, verdicts, strict=True) if holds]
        self._cited.update(citation.n for citation in held)
        return held

    def _located(self, claims: Sequence[Claim]) -> list[CitationAdded]:
        told = [claim for claim in claims if self._is_worth(claim)]
        places = self._places([(claim.sentence, [claim.n]) for claim in told])
        found = []
        for claim, (n, part, aligned) in zip(told, places, strict=True):
            key = (n, part.start + aligned.start, part.start + aligned.end)
            is_whole_again = aligned.method == "passage" and n in self._cited
            if key in self._seen or is_whole_again or aligned.start == aligned.end:
                continue
            self._seen.add(key)
            self._cited.add(n)
            found.append(_citation(n, part, aligned, at=claim.at))
        return found

    def _is_worth(self, claim: Claim) -> bool:
        self._aligned += 1
        return self._aligned <= MOST_CLAIMS or claim.n not in self._cited

    def _found(self, text: str) -> list[CitationAdded]:
        """Where each sentence that makes a claim is from, if wording or meaning says it clearly."""
        sources = self._sources()
        claims = [claim for claim in sources.claims_in(text) if not claim.is_foreign]
        likely = [(one, sources.likeliest(one)[:LIKELIEST]) for one in claims[:MOST_PROPOSED]]
        asked = [(one, numbers) for one, numbers in likely if numbers]
        places = self._places([(one.said.text, numbers) for one, numbers in asked])
        return [
            _citation(*place, at=one.said.place, is_proposed=True)
            for (one, _), place in zip(asked, places, strict=True)
            if _is_clear(place[2]) and sources.has_numbers(one, [place[0]])
        ]

    def _places(self, asked: Sequence[tuple[str, Sequence[int]]]) -> list["Place"]:
        """The best place of each sentence in the passages of these numbers: what wording found,
        and where that is little, what meaning did."""
        places = [self._best(sentence, numbers) for sentence, numbers in asked]
        weak = [at for at, place in enumerate(places) if _is_weak(place[2])]
        parts = {at: [(n, *one) for n in asked[at][1] for one in self._parts[n]] for at in weak}
        opened = [Open(asked[at][0], tuple(text for _, text, _ in parts[at])) for at in weak]
        for at, found in zip(weak, self._meanings.align(opened), strict=True):
            if found is not None:
                n, _, part = parts[at][found[0]]
                places[at] = (n, part, found[1])
                self._proven.add(fold(asked[at][0]).letters)
        for (sentence, _), (_, _, aligned) in zip(asked, places, strict=True):
            if aligned.method == "differs":
                self._differing.add(fold(sentence).letters)
        return places

    def _best(self, sentence: str, numbers: Iterable[int]) -> "Place":
        places = [
            (n, part, align(sentence, text, self._asked))
            for n in numbers
            for text, part in self._parts[n]
        ]
        return max(places, key=lambda place: strength(place[2]))

    def _sources(self) -> Sources:
        texts = {
            n: "\n".join([p.title, *p.first.heading_path, p.text])
            for n, p in self._passages.items()
        }
        return Sources(texts, self._question)


Place = tuple[int, Passage, Aligned]


def _is_weak(aligned: Aligned) -> bool:
    return aligned.method in {"words", "passage"} and aligned.score < SAID


def _is_clear(aligned: Aligned) -> bool:
    return aligned.method in {"exact", "fuzzy", "meaning"} or (
        aligned.method == "words" and aligned.score >= PROPOSED
    )


def _citation(
    n: int, part: Passage, aligned: Aligned, *, at: int, is_proposed: bool = False
) -> CitationAdded:
    start, end = aligned.start, aligned.end
    return CitationAdded(
        n=n,
        document_id=part.document_id,
        chunk_id=part.chunk_id,
        title=part.title,
        heading_path=part.heading_path,
        quote=part.text[start:end],
        start=part.start + start,
        end=part.start + end,
        page=part.page,
        line=part.line + part.text.count("\n", 0, start) if part.line else None,
        method=aligned.method,
        score=aligned.score,
        at=at,
        is_proposed=is_proposed,
    )
