"""Python in a sandbox: what a calculator cannot do, computed by a program of the model's.

What isolates it is the kernel's seccomp, in a process of its own that ends with the program: it can
compute, and nothing else (`agents.tools.confined.strict`). Where the machine cannot do that, there
is no such tool. It is no virtual machine: an error in the few calls that are left is an error in
the sandbox.
"""

from typing import Annotated

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pydantic import StringConstraints

from agents.tools.confined.running import Bounds, run_confined
from agents.tools.confined.strict import STRICT, can_isolate
from agents.tools.registry import tool
from agents.tools.types import Effect, Taint, ToolCalling, ToolOutput

LONGEST, LONGEST_FAILURE = 10_000, 1_200  # characters
BOUNDS = Bounds(seconds=10, memory=512, mapped=1536, needs=frozenset({STRICT}))
BY_A_PROGRAM = frozenset({Taint.UNTRUSTED})  # nobody answers for what a program prints


@tool(
    title=_("Run Python"), effect=Effect.NONE, icon="code", result_chars=11_000, timeout=60,
    is_there=lambda: settings.PARLEY_PYTHON and can_isolate(),
)  # fmt: skip
async def run_python(
    calling: ToolCalling,  # noqa: ARG001
    code: Annotated[str, StringConstraints(min_length=1, max_length=20_000)],
) -> ToolOutput:
    """Run a Python program with the usual modules and numpy, 10 seconds, no files, no network.
    Nothing is kept between calls; print what you want to know."""
    answer = await run_confined("python", {"code": code}, [], BOUNDS)
    # The program may have written the answer itself.
    failure = str(answer.get("failure") or "")[:LONGEST_FAILURE]
    parts = [str(answer.get("text") or "")[:LONGEST].rstrip("\n")]
    if answer.get("is_cut"):
        parts.append("… the rest of what it printed is cut off.")
    if failure:
        parts.append(f"It failed: {failure}")
    text = "\n".join(filter(None, parts)) or "It printed nothing."
    return ToolOutput(text, {"kind": "program", "failure": failure}, (), BY_A_PROGRAM)
