"""A chart by description: what it shows is data and is checked; the page draws it."""

from typing import Annotated, Literal

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused

MOST_POINTS = 300
MOST_SERIES = 8
MOST_SLICES = 12

Label = Annotated[str, StringConstraints(max_length=120)]
Value = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]


class Series(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Label
    values: list[Value | None] = Field(min_length=1, max_length=MOST_POINTS)


@tool(title=_("Draw a chart"), effect=Effect.NONE, icon="chart", timeout=5)
async def draw_chart(
    calling: ToolCalling,  # noqa: ARG001
    kind: Literal["bar", "line", "pie", "scatter"],
    title: Label,
    x: Annotated[list[Label | Value], Field(min_length=1, max_length=MOST_POINTS)],
    series: Annotated[list[Series], Field(min_length=1, max_length=MOST_SERIES)],
    *,
    x_label: Label = "",
    y_label: Label = "",
) -> ToolOutput:
    """Show a chart to the person. `x` names the points (numbers for scatter); each series has one
    value for every x, null where there is none."""
    for one in series:
        if len(one.values) != len(x):
            raise ToolRefused(
                f"“{one.name}” has {len(one.values)} values, and there are {len(x)} of x."
            )
    if kind == "scatter" and any(isinstance(value, str) for value in x):
        raise ToolRefused("x of a scatter chart must be numbers.")
    if kind == "pie":
        _check_slices(series)
    chart = {
        "type": kind, "title": title, "x": x, "x_label": x_label, "y_label": y_label,
        "series": [{"name": one.name, "values": one.values} for one in series],
    }  # fmt: skip
    text = f"The chart is shown to the person: {kind}, {len(x)} points. Do not draw it again."
    return ToolOutput(text, {"kind": "chart", "chart": chart})


def _check_slices(series: list[Series]) -> None:
    if len(series) != 1 or len(series[0].values) > MOST_SLICES:
        raise ToolRefused(f"A pie has one series of up to {MOST_SLICES} values; draw bars.")
    values = [value or 0 for value in series[0].values]
    if min(values) < 0 or not sum(values):
        raise ToolRefused("The values of a pie are not below zero, and not all of them are zero.")
