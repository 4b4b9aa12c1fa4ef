"""How many of the found passages a reranker should read: the depth that pays, by script.

Only where one is connected whose scores do not depend on what it reads beside (an endpoint, or a
cross-encoder here): then one call at the largest depth tells all smaller ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.payers import payer_of
from gateway.embedding.background import run
from knowledge.labels import demands_of
from knowledge.models import Collection, GoldenQuestion
from knowledge.quality.asking import Places, by_rules, given_of
from knowledge.quality.comparing import paired_bootstrap
from knowledge.quality.judging import Given, Wanted, judge
from knowledge.retrieval import search
from knowledge.retrieval.reranking import Asked, put_in_order
from knowledge.switches import switched_on

DEPTHS = (0, 10, 20, 40)
POINTWISE = frozenset({"endpoint", "cross_encoder"})
MOST_TROUBLE = 0.1  # of the questions may go without an answer of the reranker

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Read:
    """A question's passages as they were fused, and the place of each after reranking."""

    question_id: UUID
    script: str
    wanted: Sequence[Wanted]
    fused: Sequence[Given]
    places: Sequence[int]

    def ndcg(self, depth: int) -> float:
        """With the first `depth` passages in the reranker's order, the others behind them."""
        first = sorted(range(min(depth, len(self.fused))), key=lambda n: self.places[n])
        order = [*first, *range(len(first), len(self.fused))]
        return judge(self.wanted, [self.fused[n] for n in order]).ndcg or 0.0


def read_all(
    collection: Collection,
    questions: Sequence[GoldenQuestion],
    user: User,
    shares: Shares,
    report: Callable[[int, int], None],
) -> list[Read]:
    """Empty where no such reranker is there, or it does not answer."""
    places, payer = Places(list(questions)), payer_of(user, "rerank")
    demands, found, troubled = demands_of([collection.pk]), [], 0
    switches = switched_on({}, [collection.understanding])
    for n, question in enumerate(questions):
        report(n, len(questions))
        understood = by_rules(user, collection, question.text, switches)
        passages = search(
            user, question.text, [collection.pk], DEPTHS[-1],
            also=understood.also, filters=understood.filters, shares=shares,
        ).passages  # fmt: skip
        asked = Asked(question.text, payer, demands)
        reranked = run(put_in_order(asked, passages, DEPTHS[-1]))
        if reranked.way not in POINTWISE:
            return []
        troubled += bool(reranked.trouble)
        if troubled > max(1, MOST_TROUBLE * len(questions)):
            return []
        order = {passage.chunk_id: place for place, passage in enumerate(reranked.passages)}
        ranks = [order[passage.chunk_id] for passage in passages]
        fused = [given_of(passage) for passage in passages]
        found.append(Read(question.pk, question.script, places.of(question), fused, ranks))
    return found


def choose_depths(read: Sequence[Read], is_held_out: Callable[[UUID], bool]) -> dict[str, Any]:
    """For each script the smallest of the best depths by the half that chooses, with what it gains
    on the other. Pure."""
    chosen: dict[str, Any] = {}
    for script in sorted({one.script for one in read}):
        own = [one for one in read if one.script == script]
        training = [one for one in own if not is_held_out(one.question_id)]
        if not training:
            continue
        sums = {depth: round(sum(one.ndcg(depth) for one in training), 9) for depth in DEPTHS}
        best = max(DEPTHS, key=lambda depth: (sums[depth], -depth))
        held = [one for one in own if is_held_out(one.question_id)]
        change = paired_bootstrap([one.ndcg(best) - one.ndcg(0) for one in held])
        chosen[script] = {"rerank_depth": best, "reranked": change.as_json()}
    return chosen
