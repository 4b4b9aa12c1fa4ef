"""Run the benchmarks one after another: `make bench`, `make bench DATA="folder folder"`.

Each runs in a process and on servers of its own, prints a table and leaves its figures as JSON in
benchmarks/results. Those about retrieval need data: folders with corpus.jsonl, queries.jsonl and
qrels.tsv, for example any BEIR data set.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
NEED_NOTHING = (
    "gateway",
    "routing",
    "embedding_batches",
    "reused_answers",
    "caches",
    "rollups",
    "budgets",
    "tools",
    "guardrails",
    "streaming",
    "endurance",
    "conversation_search",
    "page",
    "admin_lists",
)
NEED_DATA = ("retrieval", "understanding", "alignment", "offline_answers", "packing", "second_lock")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NEED_NOTHING + NEED_DATA)}")
    parser.add_argument("--data", nargs="+", default=[], help="folders for those that need data")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {*NEED_NOTHING, *NEED_DATA}:
        parser.error(f"there is no benchmark named {', '.join(sorted(unknown))}")
    failed = []
    for name in options.names or NEED_NOTHING + NEED_DATA:
        if name in NEED_DATA and not options.data:
            print(f'{name}: left out, it needs data: `make bench DATA="folder …"`')
            continue
        if run(name, options.data if name in NEED_DATA else []):
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


def run(name: str, data: Sequence[str]) -> int:
    """The exit status of one benchmark, run from the project's root."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *data]
    command += ["--peers"] if name == "streaming" else []
    RESULTS.mkdir(exist_ok=True)
    command += ["--json", str(RESULTS / f"{name}.json")]
    return subprocess.run(command, check=False, cwd=RESULTS.parents[1]).returncode


if __name__ == "__main__":
    sys.exit(main())
