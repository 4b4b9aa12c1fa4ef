"""Charts of tools under the product's policy: drawn, in words too, and never as markup."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Watched

DRAW = """async (charts) => {
  if (!document.querySelector("[href$='tools.css']")) {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: "/chat/tools.css" });
    const loaded = new Promise((done) => link.addEventListener("load", done));
    document.head.append(link);
    await loaded;
  }
  const { chartCard } = await import("/chat/chart-card.js");
  document.getElementById("out").replaceChildren(...charts.map(chartCard));
}"""
EVIL = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def chart(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind, "title": f"Cups, {kind}", "x": ["Mon", "Tue", "Wed"], "x_label": "day",
        "y_label": "cups", "series": [
            {"name": "tea", "values": [3, None, 5]}, {"name": "cha", "values": [-1.5, 2, 1234567]},
        ], **more,
    }  # fmt: skip


CHARTS = [
    chart("bar"),
    chart("line"),
    chart("scatter", x=[1.5, 2, 40]),
    chart("pie", series=[{"name": "tea", "values": [3, 0, 5]}]),
]


@pytest.mark.parametrize("width", [1200, 390])
def test_every_kind_is_drawn_and_told(watched: Watched, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(DRAW, CHARTS)
    cards = page.locator(".chart-card")
    expect(cards.locator("svg")).to_have_count(4)
    expect(cards.nth(0).locator("rect")).to_have_count(5)
    expect(cards.nth(1).locator("circle")).to_have_count(5)
    expect(cards.nth(1).locator("path").first).to_have_attribute("d", re.compile(r"^M[^L]+M[^L]+$"))
    expect(cards.nth(3).locator(".chart-slice")).to_have_count(2)
    expect(cards.nth(3).locator(".chart-legend")).to_contain_text("Mon · 37.5")
    cards.nth(0).locator("summary").click()
    expect(cards.nth(0).locator("tbody tr").nth(1)).to_contain_text("Tue–2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page, context="#out")
    assert found.response["violations"] == []
    page.set_viewport_size({"width": 1280, "height": 720})


def test_odd_numbers_and_hostile_words_stay_what_they_are(watched: Watched) -> None:
    page = watched.page
    odd = [
        chart("bar", title=EVIL, x=[EVIL], x_label=EVIL, series=[{"name": EVIL, "values": [1]}]),
        chart("line", x=["a"], series=[{"name": "n", "values": [None]}]),
        chart("bar", x=["a", "b"], series=[{"name": "n", "values": [1e300, -1e300]}]),
        chart("scatter", x=[0], series=[{"name": "n", "values": [0]}]),
        chart("line", x=["a"] * 300, series=[{"name": "n", "values": [1e-9] * 300}]),
    ]
    page.evaluate(DRAW, odd)
    expect(page.locator("#out svg")).to_have_count(5)
    assert page.locator("#out :is(img, script)").count() == 0
    assert "NaN" not in page.locator("#out").inner_html()
    assert "Infinity" not in page.locator("#out").inner_html()
    expect(page.locator("#out figcaption").first).to_have_text(EVIL)
