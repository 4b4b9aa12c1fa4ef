"""A cross-encoder on this machine: `model.onnx` and `tokenizer.json` in a configured folder.

Any model of the usual form: pairs of texts as word pieces, one number for each pair, higher for
the better (two numbers: the second).
"""

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
MOST_PIECES = 512
BATCH = 8


class CrossEncoder:
    """Safe to use from many threads; loaded on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[InferenceSession, Tokenizer] | None = None

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score for each text, in their order; raises what loading or running raises."""
        session, tokenizer = self._load()
        pairs = tokenizer.encode_batch([(question, text) for text in texts])
        batches = [pairs[n : n + BATCH] for n in range(0, len(pairs), BATCH)]
        return [score for batch in batches for score in _run(session, batch)]

    def _load(self) -> "tuple[InferenceSession, Tokenizer]":
        from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415

        with self._lock:
            if self._loaded is None:
                options = SessionOptions()
                options.intra_op_num_threads = 1
                tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
                tokenizer.enable_truncation(MOST_PIECES, strategy="only_second")
                tokenizer.enable_padding()
                session = InferenceSession(str(self._folder / MODEL), options)
                self._loaded = session, tokenizer
            return self._loaded


def _run(session: "InferenceSession", pairs: Sequence["Encoding"]) -> list[float]:
    given = {
        "input_ids": [pair.ids for pair in pairs],
        "attention_mask": [pair.attention_mask for pair in pairs],
        "token_type_ids": [pair.type_ids for pair in pairs],
    }
    wanted = {entry.name for entry in session.get_inputs()}
    feed = {name: np.array(rows, np.int64) for name, rows in given.items() if name in wanted}
    scores = np.asarray(session.run(None, feed)[0], np.float32).reshape(len(pairs), -1)
    if not np.isfinite(scores).all():
        raise ValueError("the cross-encoder gave no number")
    return [float(score) for score in scores[:, -1]]


def find_cross_encoder() -> CrossEncoder | None:
    """The configured one; None where none is, or its files are not there."""
    folder = Path(settings.PARLEY_CROSS_ENCODER) if settings.PARLEY_CROSS_ENCODER else None
    is_there = folder is not None and all((folder / name).is_file() for name in (MODEL, TOKENIZER))
    return _known(folder) if folder is not None and is_there else None


@lru_cache(maxsize=1)
def _known(folder: Path) -> CrossEncoder:
    return CrossEncoder(folder)
