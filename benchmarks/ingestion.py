"""Indexing at size: `python -m benchmarks.ingestion [PART …]`, short forms by default.

`embedder`  one long document through the real job, and the embedder alone on the same passages:
            the share of its own speed that is left, in a first bulk load (without the graph, as
            the clock sees to it) and while the graph is kept up.
`files`     `--files` files of `--megabytes` together, as other programs' libraries make them
            (`benchmarks.office`: PDF, Word, PowerPoint, Excel, Markdown, HTML, most bytes
            pictures), through storage and the job, as a worker does, without the graph, as in a
            first bulk load; memory of this process and of the one that reads files, as it goes on.
`load`      `--chunks` passages with ready vectors through the real load (COPY, statistics), the
            graph built after; search at that size, the question's embedding included, by people who
            may read one, ten and all of a hundred passages, and how much of the exact result it is.

Texts of `files` and `load` are made: words by Zipf's law, of a vocabulary of 50,000; vectors of
`load` lie in 2,000 clusters, and a question's, which is embedded all the same, near that of the
passage it is about. In `files` a stand-in makes the vectors, at no cost: what
is measured is everything but the embedder, which `embedder` measures.
"""

import argparse
import io
import json
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.home import django_on_a_throwaway_home
from benchmarks.office import make_files, name_of
from benchmarks.retrieval import percentile

PARTS = ("embedder", "files", "load")
VOCABULARY = 50_000
WORDS = 130  # of a passage: about what the chunker makes of English
DIMENSIONS = 384
CLUSTERS = 2_000
TOGETHER = 20  # files that are made together
OF_A_DOCUMENT = 100  # passages that are loaded together
MEGABYTE = 2**20
WARMING, QUESTIONS = 40, 200
ASKED_OF = WARMING + QUESTIONS  # passages whose words are asked for
EXACT = 60  # questions that are answered by reading every vector too
READERS = {"1 %": range(1), "10 %": range(1, 11), "all": range(100)}  # of a hundred documents


Asked = tuple[str, Any]  # a passage, and its vector


class Texts:
    """Words by Zipf's law, the same in every run."""

    def __init__(self, seed: int = 1) -> None:
        chance = random.Random(seed)
        letters = "bcdfghklmnprstvz"
        self._words = [
            "".join(chance.choice(letters) + chance.choice("aeiou") for _ in range(2 + n % 4))
            for n in range(VOCABULARY)
        ]
        weights = 1 / (np.arange(VOCABULARY) + 2.7)
        self._shares = np.cumsum(weights / weights.sum())
        self._chance = np.random.default_rng(seed)

    def passage(self, words: int = WORDS) -> str:
        places = np.searchsorted(self._shares, self._chance.random(words))
        chosen = [self._words[min(place, VOCABULARY - 1)] for place in places]
        chosen[9::12] = [f"{word}." for word in chosen[9::12]]
        return " ".join(chosen)

    def document(self, size: int) -> str:
        parts, length = [], 0
        while length < size:
            part = f"## {self.passage(4)}\n\n{self.passage()}\n"
            parts.append(part)
            length += len(part)
        return "\n".join(parts)


class Places:
    """Unit vectors in clusters, as those of real passages lie."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = np.random.default_rng(seed)
        self._centres = self._unit(self._chance.normal(size=(CLUSTERS, DIMENSIONS)))

    def take(self, count: int) -> Any:
        near = self._centres[self._chance.integers(0, CLUSTERS, count)]
        noise = self._chance.normal(size=(count, DIMENSIONS)) * (0.9 / DIMENSIONS**0.5)
        return self._unit(near + noise)

    @staticmethod
    def _unit(vectors: Any) -> Any:
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def load_now() -> list[float]:
    return [round(value, 1) for value in os.getloadavg()]


def make_person() -> tuple[Any, Any]:
    from accounts.models import User
    from knowledge import services

    user = User.objects.create_user("bench@example.org", "not used by anybody")
    return user, services.create_collection(user, "Benchmark")


def run_job(document: Any) -> None:
    from events import jobs

    jobs.run(str(document.job_id))


# -- embedder ------------------------------------------------------------------------------------


def measure_embedder(passages: int, rounds: int) -> dict[str, Any]:
    from gateway.embedding.embedder import get_embedder
    from knowledge.embeddings import indexes
    from knowledge.versions import find_active_version

    person, texts = make_person(), Texts()
    get_embedder().embed(["warm up"] * 8)
    index_one(*person, texts.document(passages * 900))  # only warms up
    kept_up = measure_shares(person, texts, passages, rounds)
    indexes.drop(find_active_version())  # as the clock does before a first bulk load
    return {"bulk": measure_shares(person, texts, passages, rounds), "kept_up": kept_up}


def measure_shares(
    person: tuple[Any, Any], texts: Texts, passages: int, rounds: int
) -> dict[str, Any]:
    from benchmarks.retrieval import embedder_seconds

    shares, cpu_shares, rates = [], [], []
    for _round in range(rounds):
        text = texts.document(passages * 900)
        began, burnt = time.perf_counter(), cpu_seconds()
        document = index_one(*person, text)
        took, cost = time.perf_counter() - began, cpu_seconds() - burnt
        burnt = cpu_seconds()
        alone = embedder_seconds(document)
        shares.append(alone / took)
        cpu_shares.append((cpu_seconds() - burnt) / cost)
        rates.append(document.chunks.count() / took)
    return {
        "passages": document.chunks.count(),
        "passages_per_second": round(statistics.median(rates), 1),
        "share_of_embedder": round(statistics.median(shares), 3),
        "shares": [round(share, 3) for share in shares],
        "cpu_share_of_embedder": round(statistics.median(cpu_shares), 3),
        "cpu_shares": [round(share, 3) for share in cpu_shares],
    }


def index_one(user: Any, collection: Any, text: str) -> Any:
    from knowledge import services

    file = io.BytesIO(text.encode())
    document, _ = services.add_document(user, collection, file, f"{text[3:40]}.md")
    run_job(document)
    return document


def cpu_seconds() -> float:
    """Of this process, its readers, Postgres and Redis: fair also where others use the machine."""
    process = psutil.Process()
    every = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in every)


# -- files ---------------------------------------------------------------------------------------


def measure_files(files: int, megabytes: float) -> dict[str, Any]:
    from gateway.embedding.local import LocalEmbedder
    from knowledge import services
    from knowledge.embeddings import indexes
    from knowledge.models import Chunk, Document
    from knowledge.versions import find_active_version

    indexes.drop(find_active_version())  # as the clock does before a first bulk load
    places = Places()
    LocalEmbedder.embed = lambda _self, texts: places.take(len(texts))  # type: ignore[assignment]
    user, collection = make_person()
    memory: list[int] = []
    size = 0
    began = time.perf_counter()
    for number, made in enumerate(files_made_elsewhere(files, megabytes)):
        size += len(made)
        file = io.BytesIO(made)
        document, _ = services.add_document(user, collection, file, name_of(number))
        run_job(document)
        if number % max(1, files // 20) == 0 or number == files - 1:
            memory.append(resident_megabytes())
            print(f"{number + 1} files, {memory[-1]} MB", flush=True)
    seconds = time.perf_counter() - began
    half = len(memory) // 2
    return {
        "files": files,
        "megabytes": round(size / MEGABYTE),
        "passages": Chunk.objects.count(),
        "not_ready": Document.objects.exclude(status="ready").count(),
        "seconds": round(seconds, 1),
        "megabytes_per_second": round(size / MEGABYTE / seconds, 2),
        "memory_first_half_mb": max(memory[1:half] or memory),
        "memory_second_half_mb": max(memory[half:]),
    }


def files_made_elsewhere(files: int, megabytes: float) -> Iterator[bytes]:
    """From a process of its own, some ahead: its memory is not what is measured."""
    size = int(megabytes * MEGABYTE / files)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
        ahead = [
            maker.submit(some_files, start, min(TOGETHER, files - start), size)
            for start in range(0, min(files, 2 * TOGETHER), TOGETHER)
        ]
        for start in range(0, files, TOGETHER):
            yield from ahead.pop(0).result()
            if (next_ := start + 2 * TOGETHER) < files:
                ahead.append(maker.submit(some_files, next_, min(TOGETHER, files - next_), size))


def some_files(start: int, count: int, size: int) -> list[bytes]:
    return list(make_files(start, count, size, Texts(start + 1).passage))


def resident_megabytes() -> int:
    """Of this process and of those that read files for it; not of Postgres and Redis."""
    process = psutil.Process()
    children = process.children(recursive=True)
    readers = [one for one in children if "knowledge.extraction" in " ".join(one.cmdline())]
    return sum(one.memory_info().rss for one in (process, *readers)) // MEGABYTE


# -- load ----------------------------------------------------------------------------------------


def measure_load(chunks: int, workers: int) -> dict[str, Any]:
    from django.db import connection

    from knowledge.embeddings import indexes
    from knowledge.models import Chunk
    from knowledge.versions import find_active_version

    user, collection = make_person()
    version = find_active_version()
    indexes.drop(version)
    began = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        shares = [(chunks // workers, number, user.pk) for number in range(workers)]
        done = list(pool.map(load_share, *zip(*shares, strict=True)))
    loaded = time.perf_counter() - began
    sample = [text for texts, _grown in done for text in texts]
    grown = max(grown for _texts, grown in done)
    print(f"loaded in {loaded:.0f} s, {grown} MB", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze knowledge_chunk")
        cursor.execute("vacuum analyze knowledge_embedding")
        cursor.execute("vacuum analyze term_df")
    given = indexes.memory_for(version)
    began = time.perf_counter()
    indexes.build(version)
    built = time.perf_counter() - began
    print(f"index built in {built:.0f} s with {given} MB", flush=True)
    return {
        "chunks": Chunk.objects.count(),
        "workers": workers,
        "load_seconds": round(loaded, 1),
        "chunks_per_second": round(chunks / loaded),
        "memory_grown_mb": grown,
        "index_seconds": round(built, 1),
        "index_megabytes": indexes.index_bytes(version) // MEGABYTE,
        "index_memory_mb": given,
        "database_megabytes": database_megabytes(),
        **measure_growth(user, collection),
        "searches": measure_searches(user, sample),
    }


def load_share(chunks: int, number: int, user_id: Any) -> tuple[list[Asked], int]:
    """In a process of its own, into collections of its own: some of the words, megabytes grown."""
    import django

    django.setup()
    from accounts.models import User
    from knowledge import services

    user = User.objects.get(pk=user_id)
    shelves = {name: services.create_collection(user, f"{name} {number}") for name in READERS}
    texts, places = Texts(number + 10), Places(number + 10)
    load_document(user, shelves["all"], [texts.passage()], places.take(1), -1)
    memory = resident_megabytes()
    sample = load_passages(user, shelves, chunks, texts, places)
    return sample, resident_megabytes() - memory


def load_passages(
    user: Any, shelves: dict[str, Any], chunks: int, texts: Texts, places: Places
) -> list[Asked]:
    """Through `replace_chunks`, a document at a time; some of their words, and where they lie."""
    sample: list[Asked] = []
    for number, start in enumerate(range(0, chunks, OF_A_DOCUMENT)):
        count = min(OF_A_DOCUMENT, chunks - start)
        passages = [texts.passage() for _ in range(count)]
        shelf = next(name for name, share in READERS.items() if number % 100 in share)
        vectors = places.take(count)
        load_document(user, shelves[shelf], passages, vectors, start)
        if len(sample) < ASKED_OF:
            sample.extend(zip(passages[:10], vectors[:10], strict=True))
        if number % 200 == 0:
            print(f"{start + count} passages", flush=True)
    return sample


def load_document(
    user: Any, collection: Any, passages: Sequence[str], vectors: Any, number: int
) -> float:
    """Seconds of its transaction, with the analysis of its words."""
    from knowledge.indexing import Generation, replace_chunks
    from knowledge.models import Document, Source
    from knowledge.types import ChunkDraft, Extracted
    from knowledge.versions import find_active_version

    source = Source.objects.filter(collection=collection).first() or Source.objects.create(
        collection=collection, name="Benchmark"
    )
    text = "\n\n".join(passages)
    document = Document.objects.create(
        collection=collection, source=source, title=f"Document {number}", file_name=f"{number}.md",
        media_type="text/markdown", size=len(text), sha256=f"{number % 2**62:064x}", added_by=user,
    )  # fmt: skip
    drafts = list(_drafts(passages, ChunkDraft))
    generation = Generation(
        document.title, Extracted(title="", text=text, blocks=(), language="en"), drafts,
        dict(enumerate(vectors)), find_active_version(),
    )  # fmt: skip
    began = time.perf_counter()
    replace_chunks(document, generation)
    return time.perf_counter() - began


def _drafts(passages: Sequence[str], draft: Any) -> Iterator[Any]:
    start = 0
    for passage in passages:
        yield draft(text=passage, heading_path=(), start=start, end=start + len(passage), page=None)
        start += len(passage) + 2


def measure_growth(user: Any, collection: Any) -> dict[str, Any]:
    """What a passage costs while the graph is kept up, at this size."""
    texts, places = Texts(2), Places(2)
    took = [
        load_document(
            user, collection, [texts.passage() for _ in range(50)], places.take(50), number
        )
        for number in range(6)
    ]
    return {"added_ms_per_passage": round(statistics.median(took) / 50 * 1000, 2)}


def measure_searches(owner: Any, sample: Sequence[Asked]) -> dict[str, Any]:
    """Eight words of a passage each, asked by people who may read one, ten and all of a hundred."""
    chance = random.Random(3)
    near = {" ".join(chance.sample(text.split(), 8)): place for text, place in sample[:ASKED_OF]}
    asked = list(near)
    embed_near(near)
    return {name: measure_reader(reader_of(owner, name), asked) for name in READERS}


def embed_near(near: dict[str, Any]) -> None:
    """From now on a question is embedded, and then lies near the passage that it is about."""
    from gateway.embedding.local import LocalEmbedder

    embed, chance = LocalEmbedder.embed, np.random.default_rng(5)
    noise = chance.normal(size=(len(near), DIMENSIONS)) * (0.5 / DIMENSIONS**0.5)
    places = {
        text: moved / np.linalg.norm(moved)
        for text, moved in zip(near, np.array([*near.values()]) + noise, strict=True)
    }

    def nearby(self: Any, texts: Sequence[str]) -> Any:
        embed(self, texts)
        return np.array([places[text] for text in texts], np.float32)

    LocalEmbedder.embed = nearby  # type: ignore[method-assign]


def reader_of(owner: Any, name: str) -> Any:
    from accounts.models import Grant, User
    from accounts.services import share
    from knowledge.models import Collection

    if name == "all":
        return owner
    mail = f"{name.split(maxsplit=1)[0]}@example.org"
    reader = User.objects.create_user(mail, "not used by anybody")
    for shelf in Collection.objects.filter(owner=owner, name__startswith=name):
        share(shelf, reader, Grant.Role.READER, by=owner)
    return reader


def measure_reader(reader: Any, asked: Sequence[str]) -> dict[str, Any]:
    from knowledge.models import Chunk, Collection
    from knowledge.retrieval import search

    took, sql = [], []
    for number, question in enumerate(asked):
        began = time.perf_counter()
        found = search(reader, question)
        if number >= min(WARMING, len(asked) // 2):
            took.append((time.perf_counter() - began) * 1000)
            sql.append(found.timings["sql_ms"])
    seen = Collection.objects.visible_to(reader)
    return {
        "passages": Chunk.objects.filter(document__collection__in=seen).count(),
        "searches": len(took),
        "p50_ms": round(percentile(took, 0.5), 1),
        "p95_ms": round(percentile(took, 0.95), 1),
        "sql_p50_ms": round(percentile(sql, 0.5), 1),
        "sql_p95_ms": round(percentile(sql, 0.95), 1),
        "recall_at_10": round(recall(reader, asked[-EXACT:]), 4),
    }


def recall(reader: Any, asked: Sequence[str]) -> float:
    """Of the ten passages that are found by reading every vector, those that are found anyway."""
    from knowledge.retrieval import search, statements

    found = [{passage.chunk_id for passage in search(reader, text).passages} for text in asked]
    below, statements.EXACT_BELOW = statements.EXACT_BELOW, 10**9
    try:
        exact = [{one.chunk_id for one in search(reader, text).passages} for text in asked]
    finally:
        statements.EXACT_BELOW = below
    return sum(len(a & b) for a, b in zip(found, exact, strict=True)) / sum(map(len, exact))


def database_megabytes() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    return int(size) // MEGABYTE


def measure(part: str, options: argparse.Namespace) -> dict[str, Any]:
    with django_on_a_throwaway_home():
        before = load_now()
        if part == "embedder":
            found = measure_embedder(options.passages, options.rounds)
        elif part == "files":
            found = measure_files(options.files, options.megabytes)
        else:
            found = measure_load(options.chunks, options.workers)
        return {**found, "load_before": before, "load_after": load_now()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="embedder, files, load")
    parser.add_argument("--passages", type=int, default=200, help="of the document of `embedder`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2, help="that load at the same time")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {}
    for part in options.parts or PARTS:
        # Each in a process of its own, with a database of its own.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            figures[part] = pool.submit(measure, part, options).result()
        print(json.dumps({part: figures[part]}), flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
