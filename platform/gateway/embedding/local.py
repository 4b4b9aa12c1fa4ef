"""The embedded embedder: all-MiniLM-L6-v2 on the CPU, loaded once per process on first use."""

import ctypes
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedded.home import Home
from gateway.embedding.minilm import ensure_model, find_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Vectors: TypeAlias = NDArray[np.float32]

LOCAL_NAME = "all-MiniLM-L6-v2"
MAX_PIECES = 256
END_PIECE = 102  # [SEP]
# A text longer than this is cut anyway: the tokenizer need not see the rest.
MAX_CHARACTERS = 8192
# Only short texts share a batch. Large batches are slower on a CPU, and int8 activations share
# one scale in a batch, so that a vector would depend a little on its neighbours.
BATCH_SIZE = 8
BATCH_PIECES = 128
WORKERS = min(2, os.cpu_count() or 1)


class LocalEmbedder:
    """all-MiniLM-L6-v2 in int8 on the CPU: English, 384 dimensions, the first 256 word pieces.

    Safe to use from many threads at once; a call with many texts uses two.
    """

    name = LOCAL_NAME
    dimensions = 384
    is_multilingual = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector for each text; raise `ModelFilesError` without a usable model."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        pieces = self._pieces(texts)
        session = self._load()

        def run(batch: list[int]) -> None:
            vectors[batch] = _infer(session, [pieces[i] for i in batch])

        batches = list(plan_batches([len(ids) for ids in pieces]))
        if len(batches) <= 1 or WORKERS == 1:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(WORKERS) as pool:
                list(pool.map(run, batches))
            _return_memory()
        return vectors

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        encodings = load_tokenizer().encode_batch_fast([text[:MAX_CHARACTERS] for text in texts])
        return [
            found.ids if len(found.ids) <= MAX_PIECES else [*found.ids[: MAX_PIECES - 1], END_PIECE]
            for found in encodings
        ]

    def _load(self) -> "InferenceSession":
        with self._lock:
            if self._session is None:
                self._session = _open_session(ensure_model(self._folder).onnx)
            return self._session


def plan_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group the indexes of texts of like length; longest first, so that threads end together."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        widest = lengths[batch[0]] if batch else 0
        if len(batch) == BATCH_SIZE or (len(batch) + 1) * widest > BATCH_PIECES:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _open_session(path: Path) -> "InferenceSession":
    # Imported here: a process that never embeds does not pay for the library.
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # threads of ours scale better, and idle ones must not spin
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # the arena would keep the largest batch ever seen
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _infer(session: "InferenceSession", pieces: list[list[int]]) -> Vectors:
    ids = np.zeros((len(pieces), max(map(len, pieces))), np.int64)
    mask = np.zeros_like(ids)
    for row, row_ids in enumerate(pieces):
        ids[row, : len(row_ids)] = row_ids
        mask[row, : len(row_ids)] = 1
    (vectors,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    return np.asarray(vectors, np.float32)


def _return_memory() -> None:
    """Hand freed activations back to the system: glibc would keep some 20 MB of them."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@cache
def load_tokenizer() -> "Tokenizer":
    """The embedded model's tokenizer; it neither truncates nor pads."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(find_weights() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def piece_starts(text: str) -> list[int]:
    """The offset of each word piece of `text`: what the chunker counts with."""
    encoding = load_tokenizer().encode(text, add_special_tokens=False)
    return [start for start, _ in encoding.offsets]


def count_pieces(text: str) -> int:
    """How many word pieces `text` costs, without the two that frame a whole input."""
    return len(load_tokenizer().encode(text, add_special_tokens=False).ids)


@cache
def local_embedder() -> LocalEmbedder:
    """This process's embedder; nothing is read from disk before its first use."""
    return LocalEmbedder(Home.from_environment().models)
