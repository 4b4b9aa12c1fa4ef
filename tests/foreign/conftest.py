"""A server that is not ours: llama.cpp with a model of noise, one for the whole session."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REASON = "no xllamacpp or gguf here: pip install -r requirements-dev.txt"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, *mode: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.foreign.serve", str(folder), str(free_port()), *mode]
    with (folder / f"server-{'-'.join(mode) or 'chat'}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        try:
            assert process.stdout
            address = process.stdout.readline().strip()
            assert address, "llama.cpp did not start"
            yield f"{address.rstrip('/')}/v1"
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp", reason=REASON)
    pytest.importorskip("gguf", reason=REASON)
    from tests.foreign.tiny_model import write_adapter, write_model  # noqa: PLC0415 - needs gguf

    folder = tmp_path_factory.mktemp("foreign")
    write_model(folder / "tiny.gguf")
    write_adapter(folder / "pirate.gguf", seed=11)
    return folder


@pytest.fixture(scope="session")
def llama_url(model_folder: Path) -> Iterator[str]:
    with serving(model_folder) as url:
        yield url


@pytest.fixture(scope="session")
def embedding_url(model_folder: Path) -> Iterator[str]:
    with serving(model_folder, "embed") as url:
        yield url
