"""Everything that could be found for the golden questions of a collection, for tuning to weigh."""

from collections.abc import Callable

from accounts.models import User
from knowledge import tuned
from knowledge.models import Collection
from knowledge.quality.asking import Places, by_rules, counted_of
from knowledge.quality.weighing import Beside, Index, Labelled, candidates_of, question_terms
from knowledge.quality.wording import script_of
from knowledge.retrieval import search
from knowledge.retrieval.fusion import choose_alpha
from knowledge.retrieval.types import Filters, Query
from knowledge.retrieval.unrelated import thresholds_for
from knowledge.switches import switched_on
from knowledge.versions import find_active_version

CANDIDATES = 100  # passages of both legs
EVEN = 0.5  # searched with both legs, whatever their weights are


def collect(
    collection: Collection, index: Index, user: User, report: Callable[[int, int], None]
) -> list[Labelled]:
    """Both legs of every query that a question is asked with, as far as rules write them: in the
    glossary's other words too, and in parts where the collection wants that."""
    questions, switches = counted_of(collection), switched_on({}, [collection.understanding])
    places, known = Places(questions), []
    for n, question in enumerate(questions):
        report(n, len(questions))
        understood = by_rules(user, collection, question.text, switches)
        first, *also = [
            _beside(collection, index, user, query, understood.filters)
            for query in understood.queries
        ]
        wanted = places.of(question)
        known.append(
            Labelled(
                question.pk,
                question.script,
                first.usual,
                wanted,
                first.candidates,
                first.terms,
                also,
            )
        )
    report(len(questions), len(questions))
    return known


def _beside(
    collection: Collection, index: Index, user: User, query: Query, filters: Filters
) -> Beside:
    version = find_active_version()
    found = search(user, query.text, [collection.pk], CANDIDATES, filters=filters, alpha=EVEN)
    terms = question_terms(collection, index, query.text)
    own = tuned.tuned_for([collection.pk], query.text).with_vectors_of(version.model).dense
    usual = choose_alpha(query.text, version.model, is_multilingual=version.is_multilingual)
    return Beside(
        script_of(query.text),
        usual if own is None else own,
        query.weight,
        candidates_of(found.passages, terms, EVEN, thresholds_for(version).base),
        terms,
    )
