"""A program that speaks MCP by its pipes, and does what its environment tells it to."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

MODE = os.environ.get("MODE", "")
TOOL = {"name": "look", "description": "Looks.", "inputSchema": {"type": "object"}}


def answer(asked: dict) -> dict:
    match asked["method"]:
        case "initialize":
            return {"result": {
                "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "local", "version": "1"},
            }}  # fmt: skip
        case "tools/list":
            return {"result": {"tools": [TOOL]}}
        case "tools/call":
            seen = {"environment": sorted(os.environ), "pid": os.getpid()}
            return {"result": {"content": [{"type": "text", "text": json.dumps(seen)}]}}
    return {"error": {"code": -32601, "message": "no such method"}}


def tell_steps(asked: dict) -> None:
    for step in (1, 2, 3):
        params = {"progressToken": asked["params"]["_meta"]["progressToken"],
                  "progress": step, "total": 3, "message": "step"}  # fmt: skip
        told = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
        print(json.dumps(told), flush=True)


def main() -> None:
    if pids := os.environ.get("PIDS"):
        child = subprocess.Popen(["sleep", "600"])  # what it starts must end with it
        with Path(pids).open("a") as file:
            file.write(f"{os.getpid()} {child.pid}\n")
    for line in sys.stdin:
        asked = json.loads(line)
        if MODE == "flood":
            while True:
                sys.stdout.write("x" * 65536)
        if MODE == "hang":
            time.sleep(600)
        if MODE == "die":
            sys.exit(1)
        if heard := os.environ.get("HEARD"):
            with Path(heard).open("a") as file:
                file.write(line)
        is_call = asked["method"] == "tools/call"
        if is_call and MODE in ("steps", "stall"):
            tell_steps(asked)
        if "id" in asked and not (is_call and MODE == "stall"):
            print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer(asked)}), flush=True)
    if os.environ.get("STAYS"):  # also when its input has ended
        time.sleep(600)


main()
