"""From text to the words that a search finds it by, and from a search to a condition on them.

The analyzer is the one of the knowledge search: Chinese, Simplified or Traditional, as characters
and pairs, English by its stems. Words stand here as they were written too, so that the beginning
of a word finds it while it is being typed.
"""

from django.contrib.postgres.search import SearchQuery

from knowledge.analyzer import analyze, is_cjk, split

LONGEST = 64
# Characters of a message: a tsvector holds a megabyte, and a writer may make every pair differ.
INDEXED = 80_000


class Words(SearchQuery):
    """A condition made of the analyzer's words: Postgres must not analyse them again."""

    template = "%(expressions)s::tsquery"


def words_of(text: str) -> list[str]:
    """Every word that `text` is found by, each once."""
    text = text[:INDEXED]
    plain = {run.lower()[:LONGEST] for run in split(text) if not is_cjk(run)}
    return sorted(plain.union(analyze(text)))


def condition(query: str) -> str:
    """What `query` asks for as a tsquery: all of its words, the last one perhaps not complete.

    Empty when there is no word in it. Words of function count only where there are no others.
    """
    runs = split(query)
    parts = [part for run in runs[:-1] if (part := _whole(run))]
    if runs:
        parts.append(_begun(runs[-1], has_others=bool(parts)))
    return " & ".join(part for part in parts if part)


def terms_of(query: str, text: str) -> set[str]:
    """The analyzer's terms by which words of `text` are to be marked for `query`."""
    runs = split(query)
    last = runs[-1].lower() if runs and not is_cjk(runs[-1]) else ""
    begun = [run for run in split(text) if last and run.lower().startswith(last)]
    return set(analyze(" ".join([query, *begun])))


def _whole(run: str) -> str:
    terms = analyze(run)
    if is_cjk(run) and len(run) > 1:
        terms = [term for term in terms if len(term) > 1]
    return " & ".join(map(_quoted, terms))


def _begun(run: str, *, has_others: bool) -> str:
    if is_cjk(run):
        return _whole(run)
    prefix = f"{_quoted(run.lower()[:LONGEST])}:*"
    stem = _whole(run)
    if not stem:
        return "" if has_others else prefix
    return f"({prefix} | {stem})"


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
