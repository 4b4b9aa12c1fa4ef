"""The reading process: limits hold, secrets stay here, and a crash costs one file only."""

import os
import signal
from pathlib import Path

import pytest

from knowledge.extraction.dispatch import read_file
from knowledge.extraction.process import SHORT, ReadingProcess, extract
from knowledge.extraction.reasons import (
    CRASHED,
    DAMAGED,
    MISSING,
    NO_TEXT,
    TOO_LARGE_IN_MEMORY,
    TOO_SLOW,
    ExtractionFailed,
)
from tests.knowledge import files


@pytest.fixture
def reader():
    process = ReadingProcess()
    yield process
    process.close()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("Twenty-five days.\n\n二十五天。")
    return path


def test_a_file_comes_back_whole(reader: ReadingProcess, text: Path, tmp_path: Path) -> None:
    found = reader.extract(text, "text")
    assert [found.text[b.start : b.end] for b in found.blocks] == [
        "Twenty-five days.",
        "二十五天。",
    ]
    assert reader.extract(files.make_pdf(tmp_path / "a.pdf"), "pdf").page_count == 2


def test_a_reason_comes_back(reader: ReadingProcess, tmp_path: Path) -> None:
    with pytest.raises(ExtractionFailed, match=MISSING):
        reader.extract(tmp_path / "gone.txt", "text")
    with pytest.raises(ExtractionFailed, match=DAMAGED):
        reader.extract(files.broken_pdf(tmp_path / "b.pdf"), "pdf")


def test_memory_is_limited_and_the_next_file_is_read(reader: ReadingProcess, text: Path) -> None:
    big = text.with_name("big.txt")
    big.write_bytes(b"word " * 20_000_000)
    with pytest.raises(ExtractionFailed, match=f"{TOO_LARGE_IN_MEMORY}|{CRASHED}"):
        reader.extract(big, "text", {"memory": 300 * 1024 * 1024})
    assert reader.extract(text, "text").text.startswith("Twenty")


def test_processor_time_is_limited(reader: ReadingProcess, text: Path) -> None:
    slow = text.with_name("slow.md")
    slow.write_text("\n\n".join(f"- {'*a ' * 500}" for _ in range(4_000)))
    with pytest.raises(ExtractionFailed, match=TOO_SLOW):
        reader.extract(slow, "markdown", {"cpu": 1})
    assert reader.extract(text, "text").text.startswith("Twenty")


def test_wall_time_is_limited(reader: ReadingProcess, tmp_path: Path) -> None:
    # Nobody ever writes into this pipe: opening it for reading waits for ever.
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExtractionFailed, match=TOO_SLOW):
        reader.extract(tmp_path / "pipe", "text", {"wall": 1})


def test_whoever_waits_may_end_the_reading(reader: ReadingProcess, tmp_path: Path) -> None:
    """A job that was cancelled, or whose worker has to go, does not wait for a slow file."""
    os.mkfifo(tmp_path / "pipe")

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reader.extract(tmp_path / "pipe", "text", check=stop)
    assert reader._process is None


def test_a_killed_reader_is_started_again(reader: ReadingProcess, text: Path) -> None:
    reader.extract(text, "text")
    process = reader._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert reader.extract(text, "text").text.startswith("Twenty")


def test_the_reader_does_not_know_our_secrets(
    reader: ReadingProcess, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-the-secret")
    reader.extract(text, "text")
    process = reader._process
    assert process is not None
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"canary-of-the-secret" not in environment
    assert b"PARLEY_HOME" not in environment


def test_a_short_text_needs_no_process(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("第一章 开始\n\nWords.")
    found = extract(path, "text")
    assert found == read_file(path, "text")
    path.write_text("\n")
    with pytest.raises(ExtractionFailed, match=NO_TEXT):
        extract(path, "text")
    with pytest.raises(ExtractionFailed, match=MISSING):
        extract(tmp_path / "gone.txt", "text")
    path.write_text("word " * SHORT)
    assert extract(path, "text").text.startswith("word word")
