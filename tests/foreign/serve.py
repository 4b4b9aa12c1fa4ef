"""llama.cpp's server on loopback: `python -m tests.foreign.serve FOLDER PORT [embed]`.

Prints its address once it listens; ends with its parent's pipe.
"""

import sys
from pathlib import Path

import xllamacpp

CONTEXT = 4096  # shared by two slots


def main(folder: Path, port: int, *, embeds: bool) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(folder / "tiny.gguf")
    params.model_alias = {"tiny"}
    params.verbosity = 1
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT
    params.n_parallel = 2
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.use_jinja = True
    params.endpoint_slots = True
    if embeds:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    else:
        adapter = xllamacpp.CommonAdapterLoraInfo(str(folder / "pirate.gguf"), 0.0)
        params.lora_adapters = [adapter]
        params.lora_init_without_apply = True
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), embeds="embed" in sys.argv[3:])
