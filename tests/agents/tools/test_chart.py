"""A chart's description is checked: whatever is kept can be drawn."""

from typing import Any

import pytest

from agents.tools.types import ToolRefused
from tests.agents.tools.conftest import Call

BARS: dict[str, Any] = {
    "kind": "bar", "title": "Cups", "x": ["Mon", "Tue"],
    "series": [{"name": "tea", "values": [3, None]}, {"name": "cha", "values": [-1.5, 2]}],
}  # fmt: skip


def test_its_numbers_are_kept_for_the_card(nobody, call: Call) -> None:
    found = call(nobody, "draw_chart", **BARS)
    chart = found.data["chart"]
    assert found.data["kind"] == "chart"
    assert (chart["type"], chart["title"], chart["x"]) == ("bar", "Cups", ["Mon", "Tue"])
    assert chart["series"][0] == {"name": "tea", "values": [3, None]}
    assert "Cups" not in found.text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"x": ["Mon"]}, "has 2 values"),
        ({"kind": "scatter"}, "must be numbers"),
        ({"kind": "pie"}, "one series"),
        ({"kind": "pie", "series": [{"name": "a", "values": [-1, 2]}]}, "below zero"),
        ({"kind": "pie", "series": [{"name": "a", "values": [0, 0]}]}, "all of them"),
        ({"kind": "radar"}, "kind"),
        ({"series": []}, "series"),
        ({"series": [{"name": "a", "values": [1, float("nan")]}]}, "finite"),
        ({"series": [{"name": "a", "values": [1, 2], "fill": "url(x)"}]}, "fill"),
        ({"title": "x" * 121}, "title"),
        ({"x": ["a"] * 301, "series": [{"name": "a", "values": [1] * 301}]}, "300"),
    ],
)
def test_what_cannot_be_drawn_is_refused(nobody, call: Call, change: Any, why: str) -> None:
    with pytest.raises(ToolRefused, match=why):
        call(nobody, "draw_chart", **{**BARS, **change})
