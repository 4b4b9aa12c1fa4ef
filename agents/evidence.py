"""From claims of an answer to citations that hold."""

from agents.citations import WEAK_EVIDENCE, Claim, best_span
from agents.selectors import verify_quotes
from agents.types import CitationAdded, PackedPassage, Verify
from observability.patience import run_patiently


async def verify_in_database(citations: list[CitationAdded]) -> list[bool]:
    return await run_patiently(verify_quotes, citations)


class Evidence:
    """Turns claims into citations: the best words of the passage, each span once, all verified."""

    def __init__(self, passages: tuple[PackedPassage, ...], verify: Verify) -> None:
        self._passages = {passage.n: passage for passage in passages}
        self._verify = verify
        self._seen: set[tuple[int, int, int]] = set()
        self._cited: set[int] = set()

    @property
    def has_cited(self) -> bool:
        return bool(self._cited)

    @property
    def texts(self) -> list[str]:
        """What the passages say that the answer was given."""
        return [passage.text for passage in self._passages.values()]

    async def for_claims(self, claims: list[Claim]) -> list[CitationAdded]:
        found = [citation for claim in claims if (citation := self._locate(claim))]
        if not found:
            return []
        verdicts = await self._verify(found)
        return [citation for citation, holds in zip(found, verdicts, strict=True) if holds]

    def _locate(self, claim: Claim) -> CitationAdded | None:
        """None when the evidence is on show already, or weak beside what is."""
        passage = self._passages[claim.n]
        ranked = [(best_span(claim.sentence, part.text), part) for part in passage.parts]
        (share, (start, end)), part = max(ranked, key=lambda found: found[0][0])
        key = (claim.n, part.start + start, part.start + end)
        is_whole_again = share < WEAK_EVIDENCE and claim.n in self._cited
        if key in self._seen or is_whole_again or start == end:
            return None
        self._seen.add(key)
        self._cited.add(claim.n)
        return CitationAdded(
            n=claim.n,
            document_id=part.document_id,
            chunk_id=part.chunk_id,
            title=part.title,
            heading_path=part.heading_path,
            quote=part.text[start:end],
            start=part.start + start,
            end=part.start + end,
            page=part.page,
        )
