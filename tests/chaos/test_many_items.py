"""A source of ten thousand items: taken in with flat memory, and looked at again in seconds."""

import gc
import os
import time
from pathlib import Path

import psutil
import pytest

from knowledge.models import Document, Source, SourceItem
from knowledge.sources import engine, taking
from knowledge.sources.connector import key_of
from tests.knowledge.conftest import _files_apart, handbook
from tests.knowledge.sources.conftest import add, admin, counts, root, visit

__all__ = ["_files_apart", "add", "admin", "handbook", "root"]

ITEMS = 10_000
BYTES = 100 * 1024  # of each: a gigabyte of all
SECONDS = 30  # for a visit that finds nothing new
MOST_GROWTH = 150 * 1024**2  # of memory, between the first thousand items and the last

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(7200), pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch):
    monkeypatch.setattr(engine, "SLICE_SECONDS", 10_000.0)


def fill(folder: Path, size: int = BYTES) -> None:
    words = ("The rules of travel, of leave and of lunch are written down here. " * 2_000).encode()
    for number in range(ITEMS):
        place = folder / f"{number // 100:03}"
        place.mkdir(exist_ok=True)
        (place / f"{number:05}.txt").write_bytes(f"{number}\n".encode() + words[: size - 6])


def known(folder: Path, source: Source) -> None:
    """As if a visit had brought them all: a document and an item for each file."""
    files = sorted(folder.rglob("*.txt"))
    documents = [
        Document(
            collection=source.collection, source=source, title=path.stem, file_name=path.name,
            media_type="text/plain", size=1, sha256=f"{number:064}", status="ready",
        )
        for number, path in enumerate(files)
    ]  # fmt: skip
    Document.objects.bulk_create(documents, batch_size=1_000)
    items = []
    for path, document in zip(files, documents, strict=True):
        name, status = str(path.relative_to(folder)), path.stat()
        mark = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        items.append(
            SourceItem(
                source=source, key=key_of(name), external_id=name, mark=mark, document=document,
                state=SourceItem.State.PRESENT,
            )
        )  # fmt: skip
    SourceItem.objects.bulk_create(items, batch_size=1_000)


def test_an_unchanged_visit_to_ten_thousand_items_takes_seconds(root: Path, add, capsys):
    fill(root, size=20)
    source = add("folder", path=str(root))
    known(root, source)
    began = time.monotonic()
    assert counts(visit(source)) == (0, 0, ITEMS, 0, 0)
    took = time.monotonic() - began
    (root / "000" / "00000.txt").write_text("Changed.")
    (root / "000" / "00001.txt").unlink()
    assert counts(visit(source)) == (0, 1, ITEMS - 2, 1, 0)
    with capsys.disabled():
        print(f"\n{ITEMS:,} items unchanged: {took:.2f} s; load {os.getloadavg()[0]:.1f}")
    assert took < SECONDS


def test_a_gigabyte_is_taken_in_with_flat_memory(root: Path, add, monkeypatch, capsys):
    """Takes as long as ten thousand durable writes do: minutes on a calm machine."""
    fill(root)
    process, memory = psutil.Process(), []
    real, handed = taking.hand_over, 0

    def hand_over_and_weigh(*arguments):
        nonlocal handed
        handed += 1
        if handed % 1_000 == 0:
            gc.collect()
            memory.append(process.memory_info().rss)
        return real(*arguments)

    monkeypatch.setattr(taking, "hand_over", hand_over_and_weigh)
    source = add("folder", path=str(root))
    began = time.monotonic()
    assert counts(visit(source)) == (ITEMS, 0, 0, 0, 0)
    took = time.monotonic() - began
    assert Document.objects.filter(source=source).count() == ITEMS
    growth = max(memory) - memory[0]
    with capsys.disabled():
        print(
            f"\n{ITEMS:,} items, {ITEMS * BYTES / 1024**3:.2f} GB: {took:.1f} s; "
            f"memory +{growth / 1024**2:.0f} MB; load {os.getloadavg()[0]:.1f}"
        )
    assert growth < MOST_GROWTH
