"""A model of half a megabyte with random weights, for a real server that nobody has to download.

Its words are noise; everything around them (templates, grammars, caches, adapters) is real. The
same seed gives the same file. `python -m tests.foreign.tiny_model FOLDER` writes the model and an
adapter for it.
"""

import sys
from pathlib import Path

import gguf
import numpy as np

# llama.cpp derives the grammar of tool calls from the template.
TEMPLATE = Path(__file__).with_name("hermes.jinja").read_text(encoding="utf-8")
# Token 5 opens a tool call; noise never says it by itself.
CONTEXT = 4096
WIDTH, LAYERS, HEADS, HIDDEN = 64, 2, 4, 128
RANK = 4


def vocabulary() -> list[tuple[str, float, gguf.TokenType]]:
    kind = gguf.TokenType
    rows = [("<unk>", 0.0, kind.UNKNOWN)]
    rows += [
        (f"{name}", 0.0, kind.CONTROL) for name in ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
    ]
    rows += [(name, 0.0, kind.USER_DEFINED) for name in ("<tool_call>\n", "</tool_call>")]
    rows += [(f"<0x{byte:02X}>", 0.0, kind.BYTE) for byte in range(256)]
    letters = ["▁", *map(chr, range(33, 127))]
    words = ["▁the", "▁a", "▁of", "▁and", "ing", "er", "▁yes", "▁no", "th", "he", "in", "yes", "no"]
    rows += [(piece, -float(n + 1), kind.NORMAL) for n, piece in enumerate(words + letters)]
    return rows


def write_model(path: Path, seed: int = 7) -> None:
    rng = np.random.default_rng(seed)
    rows = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, rows)

    def random(name: str, *shape: int) -> None:
        writer.add_tensor(name, rng.normal(0, 0.4, shape).astype(np.float32))

    def ones(name: str) -> None:
        writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))

    random("token_embd.weight", len(rows), WIDTH)
    ones("output_norm.weight")
    random("output.weight", len(rows), WIDTH)
    for block in (f"blk.{number}." for number in range(LAYERS)):
        ones(f"{block}attn_norm.weight")
        ones(f"{block}ffn_norm.weight")
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            random(f"{block}{name}.weight", WIDTH, WIDTH)
        random(f"{block}ffn_gate.weight", HIDDEN, WIDTH)
        random(f"{block}ffn_up.weight", HIDDEN, WIDTH)
        random(f"{block}ffn_down.weight", WIDTH, HIDDEN)
    _finish(writer)


def write_adapter(path: Path, seed: int) -> None:
    """A LoRA adapter strong enough to change what the model says."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(RANK * 4))
    for block in range(LAYERS):
        for name in ("attn_v", "attn_output"):
            tensor = f"blk.{block}.{name}.weight"
            for part, shape in (("a", (RANK, WIDTH)), ("b", (WIDTH, RANK))):
                values = rng.normal(0, 1, shape).astype(np.float32)
                writer.add_tensor(f"{tensor}.lora_{part}", values)
    _finish(writer)


def _describe(writer: gguf.GGUFWriter, rows: list[tuple[str, float, gguf.TokenType]]) -> None:
    writer.add_name("tiny-random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(rows))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece.encode() for piece, _score, _kind in rows])
    writer.add_token_scores([score for _piece, score, _kind in rows])
    writer.add_token_types([int(kind) for _piece, _score, kind in rows])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(4)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write_model(folder / "tiny.gguf")
    write_adapter(folder / "pirate.gguf", seed=11)
