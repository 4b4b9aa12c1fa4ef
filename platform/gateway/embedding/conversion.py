"""all-MiniLM-L6-v2 from safetensors to an int8 ONNX graph, with `onnx` alone (no torch).

Run as `python -m gateway.embedding.conversion WEIGHTS TARGET`. The graph uses onnxruntime's fused
operators and ends in mean pooling and L2 normalisation: token ids in, unit vectors out.
"""

import json
import logging
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

FUSED = "com.microsoft"
Weights = dict[str, NDArray[Any]]


def read_safetensors(path: Path) -> Weights:
    """Read every tensor (https://github.com/huggingface/safetensors#format)."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    types = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    tensors: Weights = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        flat: NDArray[Any] = np.frombuffer(data[start:end], types[entry["dtype"]])
        tensors[name.removeprefix("bert.")] = flat.reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and initialisers of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, domain: str = "", **more: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **more))
        return output


def add_embeddings(graph: Graph, weights: Weights, epsilon: float) -> str:
    """Word vectors are kept as int8 rows with one scale each: a quarter of the memory."""
    words = weights["embeddings.word_embeddings.weight"]
    scales = np.abs(words).max(axis=1, keepdims=True) / 127
    rows = np.round(words / np.maximum(scales, 1e-12)).astype(np.int8)
    positions = (
        weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    graph.add("Gather", [graph.constant("word_rows", rows), "input_ids"], "rows_int8")
    graph.add("Cast", ["rows_int8"], "rows", to=TensorProto.FLOAT)
    scale = graph.constant("word_scales", scales.astype(np.float32))
    graph.add("Gather", [scale, "input_ids"], "row_scales")
    graph.add("Mul", ["rows", "row_scales"], "words")
    graph.add("Shape", ["input_ids"], "length", start=1, end=2)
    zero = graph.constant("zero", np.array([0], np.int64))
    graph.add("Slice", [graph.constant("all_positions", positions), zero, "length"], "positions")
    gamma = graph.constant("gamma", weights["embeddings.LayerNorm.weight"])
    beta = graph.constant("beta", weights["embeddings.LayerNorm.bias"])
    inputs = ["words", "positions", gamma, beta]
    return graph.add("SkipLayerNormalization", inputs, "layer0", FUSED, epsilon=epsilon)


def add_layer(graph: Graph, weights: Weights, n: int, x: str, config: dict[str, Any]) -> str:
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]

    def constant(name: str, transpose: bool = False) -> str:
        value = weights[f"encoder.layer.{n}.{name}"]
        return graph.constant(f"{n}.{name}", value.T if transpose else value)

    def normalise(inputs: list[str], prefix: str, output: str) -> str:
        layer_norm = [constant(f"{prefix}.LayerNorm.weight"), constant(f"{prefix}.LayerNorm.bias")]
        inputs = [*inputs, *layer_norm, constant(f"{prefix}.dense.bias")]
        return graph.add("SkipLayerNormalization", inputs, output, FUSED, epsilon=epsilon)

    prefix = f"encoder.layer.{n}.attention.self"
    parts = ("query", "key", "value")
    qkv = np.concatenate([weights[f"{prefix}.{part}.weight"].T for part in parts], axis=1)
    bias = np.concatenate([weights[f"{prefix}.{part}.bias"] for part in parts])
    names = [graph.constant(f"{n}.qkv", qkv), graph.constant(f"{n}.qkv_bias", bias)]
    graph.add("Attention", [x, *names, "mask"], f"{n}.attended", FUSED, num_heads=heads)
    dense = constant("attention.output.dense.weight", transpose=True)
    graph.add("MatMul", [f"{n}.attended", dense], f"{n}.projected")
    y = normalise([f"{n}.projected", x], "attention.output", f"{n}.middle")
    wide = constant("intermediate.dense.weight", transpose=True)
    graph.add("MatMul", [y, wide], f"{n}.wide")
    wide_bias = constant("intermediate.dense.bias")
    graph.add("BiasGelu", [f"{n}.wide", wide_bias], f"{n}.activated", FUSED)
    narrow = constant("output.dense.weight", transpose=True)
    graph.add("MatMul", [f"{n}.activated", narrow], f"{n}.narrow")
    return normalise([f"{n}.narrow", y], "output", f"layer{n + 1}")


def add_pooling(graph: Graph, x: str) -> str:
    graph.add("Cast", ["attention_mask"], "weights", to=TensorProto.FLOAT)
    last = graph.constant("last_axis", np.array([-1], np.int64))
    pieces = graph.constant("piece_axis", np.array([1], np.int64))
    graph.add("Unsqueeze", ["weights", last], "column")
    graph.add("Mul", [x, "column"], "kept")
    graph.add("ReduceSum", ["kept", pieces], "sum", keepdims=0)
    graph.add("ReduceSum", ["weights", pieces], "count", keepdims=1)
    graph.add("Div", ["sum", "count"], "mean")
    return graph.add("LpNormalization", ["mean"], "embedding", axis=1, p=2)


def build_graph(folder: Path) -> onnx.ModelProto:
    config = json.loads((folder / "config.json").read_bytes())
    weights = read_safetensors(folder / "model.safetensors")
    graph = Graph()
    x = add_embeddings(graph, weights, config["layer_norm_eps"])
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    for n in range(config["num_hidden_layers"]):
        x = add_layer(graph, weights, n, x, config)
    add_pooling(graph, x)

    def ids(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "pieces"])

    size = ["batch", config["hidden_size"]]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, size)
    inputs = [ids("input_ids"), ids("attention_mask")]
    made = helper.make_graph(graph.nodes, "minilm", inputs, [output], graph.initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9)


def convert(folder: Path, target: Path) -> None:
    """Write the quantised graph to `target`; the float graph does not outlive the call."""
    floats = target.with_suffix(".float.onnx")
    try:
        onnx.save(build_graph(folder), str(floats))
        quantize_dynamic(
            str(floats),
            str(target),
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Attention"],
            per_channel=True,
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
    finally:
        floats.unlink(missing_ok=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
