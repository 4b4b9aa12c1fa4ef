"""Every built-in tool is there, truthful about its effect, and short in every prompt."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.tools.registry import TOOLS
from agents.tools.types import Effect

ROOT = Path(__file__).parents[3]
EFFECTS = {
    Effect.NONE: {"calculate", "convert_units", "dates", "draw_chart", "run_python"},
    Effect.READS: {
        "git_blame", "git_diff", "git_list", "git_log", "git_read", "git_search", "query_table",
        "read_document", "search_documents",
    },
    Effect.CHANGES: {"forget", "remember"},
    Effect.SENDS: {"fetch_page", "search_web"},
}  # fmt: skip
BUILT_IN = {name for names in EFFECTS.values() for name in names}
LISTED = """
import django; django.setup()
from agents.tools.registry import TOOLS
print(*sorted(TOOLS))
"""


def test_a_process_of_the_product_has_them_all() -> None:
    """Whatever these tests import."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'platform'}"
    done = subprocess.run(
        [sys.executable, "-c", LISTED], env=environment, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == BUILT_IN


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_tool_is_what_it_says(name: str) -> None:
    tool = TOOLS[name]
    assert name in EFFECTS[tool.effect]
    assert len(json.dumps(tool.as_function())) < 1_300
    assert len(tool.description) < 260
    assert tool.parameters["additionalProperties"] is False
    assert tool.result_chars <= 16_000
    assert str(tool.title)
