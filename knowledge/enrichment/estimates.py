"""What enriching a collection would take, before anybody switches it on."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from django.db.models import Avg
from django.db.models.functions import Length

from gateway.metering.models import Usage
from gateway.metering.prices import cost_of
from gateway.types import TokenUsage
from knowledge.embeddings.estimates import Estimate
from knowledge.enrichment import prompt
from knowledge.enrichment.asking import AT_ONCE
from knowledge.enrichment.prompt import PASSAGES_AT_ONCE
from knowledge.enrichment.step import routes_of, version_of
from knowledge.models import Chunk, Collection, Document, Stage

SAMPLE = 2_000  # passages whose length stands for that of all
RECENT = 200  # calls whose time stands for that of all
# Tokens: of our rules with the form of the answer, and of what is written.
RULES, FENCES = 400, 30
ANSWER_DOCUMENT, ANSWER_PASSAGE = 250, 90


@dataclass(frozen=True, slots=True)
class Cost:
    """Of what is still to be written. `cost` is None where no price is known, `seconds` where this
    model has never written for this installation."""

    model: str
    documents: int
    passages: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    currency: str
    seconds: float | None

    @property
    def in_short(self) -> Estimate:
        """As estimates are put into words."""
        tokens = self.prompt_tokens + self.completion_tokens
        return Estimate(self.passages, tokens, self.cost, self.currency, self.seconds)


def estimate(collection: Collection, model: str) -> Cost:
    """With that model; what it has written already is not asked for again.

    The dearest of the endpoints that may be asked counts. Raises `EnrichmentFailed` where nobody
    offers it.
    """
    routes = routes_of(model)
    version = version_of(Collection(enrich_model=model))
    done = Stage.objects.filter(
        name=Stage.Name.ENRICH, status=Stage.Status.DONE, step_version=version
    )
    rows = Document.objects.filter(collection=collection, excluded_at=None, chunk_count__gt=0)
    missing = rows.exclude(pk__in=done.values("document"))
    counts = list(missing.values_list("chunk_count", flat=True))
    passages, documents = sum(counts), len(counts)
    requests = documents + sum(ceil(count / PASSAGES_AT_ONCE) for count in counts)
    each = _tokens_each(collection)
    opening = prompt.MOST_TEXT / 4
    read = sum(min(opening, count * each) for count in counts)  # the beginnings of documents
    asked = round(read + passages * (each + FENCES) + requests * RULES)
    said = documents * ANSWER_DOCUMENT + passages * ANSWER_PASSAGE
    costs = [cost_of(route, TokenUsage(asked, said)) for route in routes]
    known = [cost.amount for cost in costs if cost.amount is not None]
    return Cost(
        model, documents, passages, requests, asked, said,
        max(known) if len(known) == len(costs) else None, costs[0].currency,
        _seconds(model, requests),
    )  # fmt: skip


def _tokens_each(collection: Collection) -> float:
    """On the safe side: three characters are a token, of Chinese one and a half."""
    rows = Chunk.objects.filter(document__collection=collection)
    newest = rows.order_by("-pk").values("pk")[:SAMPLE]
    lengths = Chunk.objects.filter(pk__in=newest).values_list("script", Length("text"))
    found = [length / (1.5 if script == Chunk.Script.CJK else 3) for script, length in lengths]
    return sum(found) / len(found) if found else 0.0


def _seconds(model: str, requests: int) -> float | None:
    calls = Usage.objects.filter(purpose="enrichment", model_name=model, outcome="completed")
    recent = calls.order_by("-id").values("pk")[:RECENT]
    took = Usage.objects.filter(pk__in=recent).aggregate(took=Avg("total_ms"))["took"]
    return None if took is None else requests * float(took) / 1000 / AT_ONCE
