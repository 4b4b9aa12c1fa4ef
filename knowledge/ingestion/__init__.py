"""One document from its stored bytes to what is searched: fetch → extract → clean → chunk →
(enrich) → embed → load.

Each step is recorded with the hash of what it was made of and the version of what made it. What is
kept is not made again: text and blocks with the document, vectors with the passages. Nothing is
held open between steps: no transaction while a file is read or a model computes.
"""

from knowledge.ingestion.pipeline import NO_PASSAGES, ingest
from knowledge.ingestion.recording import Progress

__all__ = ["NO_PASSAGES", "Progress", "ingest"]
