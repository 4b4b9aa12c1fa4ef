"""The steps of ingestion, and by which version of each something was made.

Whoever changes what a step answers for the same input raises its version here: then, and only
then, what was made before is made anew when a document is indexed again.
"""

import hashlib

from knowledge.models import Collection, Stage

READER = "4"
CLEANER = "1"
SPLITTER = "2"
# Those that every document goes through; `ENRICH` is there where a collection asks for it.
STEPS = (
    Stage.Name.FETCH, Stage.Name.EXTRACT, Stage.Name.CLEAN, Stage.Name.CHUNK, Stage.Name.EMBED,
    Stage.Name.LOAD,
)  # fmt: skip


def steps_of(collection: Collection) -> tuple[Stage.Name, ...]:
    """In their order."""
    if not collection.enrich_model:
        return STEPS
    before_vectors = STEPS.index(Stage.Name.EMBED)
    return (*STEPS[:before_vectors], Stage.Name.ENRICH, *STEPS[before_vectors:])


def fingerprint(*parts: str) -> str:
    """One hash of all of them; ("ab", "c") and ("a", "bc") have two."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
