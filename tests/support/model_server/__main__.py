"""Serves the default script by itself."""

import argparse
import time
from contextlib import suppress

from tests.support.model_server.scripts import DEFAULT_TEXT, Script
from tests.support.model_server.server import ModelServer


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the scripted model on loopback.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds between deltas")
    parser.add_argument("--text", default=DEFAULT_TEXT)
    args = parser.parse_args()
    script = Script(text=args.text, delay=args.delay)
    with ModelServer(args.port, script) as server, suppress(KeyboardInterrupt):
        print(f"scripted model at {server.url}", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
