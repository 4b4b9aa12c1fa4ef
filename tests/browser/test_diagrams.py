"""Diagrams: drawn in a frame without an origin, shown as an image, calm about what is wrong."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.canary import Canary
from tests.browser.conftest import Watched, open_harness
from tests.browser.diagrams import DRAWN, FLOW, HOSTILE
from tests.browser.static_site import StaticSite

DRAW = """(source) => {
  const out = document.getElementById("out");
  out.replaceChildren();
  const stream = new MarkdownStream(out, { onBlock: enhance });
  stream.push("```mermaid\\n" + source + "\\n```\\n");
  stream.end();
}"""
# What the frame's own policy refuses is told in the console: that is the policy at work.
REFUSED = ("Content Security Policy", "net::ERR_BLOCKED_BY_CSP", "sandboxed")
DRAWN_SECONDS = 40_000


def draw(watched: Watched, source: str) -> None:
    watched.page.evaluate(DRAW, source)
    done = watched.page.locator("#out :is(.diagram img, .diagram-problem)")
    expect(done).to_be_attached(timeout=DRAWN_SECONDS)


def test_a_diagram_is_an_image_made_in_a_frame_without_an_origin(watched: Watched) -> None:
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(DRAW, "graph TD")  # begins to load what draws; nothing was asked for before
    for source in DRAWN.values():
        draw(watched, source)
        image = page.locator("#out .diagram img")
        expect(image).to_be_visible()
        assert image.evaluate("el => el.decode().then(() => el.naturalWidth)") > 40
        assert (image.get_attribute("src") or "").startswith("blob:")
    frame = page.locator("iframe")
    expect(frame).to_have_count(1)
    assert frame.get_attribute("sandbox") == "allow-scripts"
    assert sum("vendor/mermaid" in url for url in asked) == 1
    assert page.locator("#out svg").count() == 0


def test_a_description_with_an_error_stays_readable(watched: Watched) -> None:
    draw(watched, "graph TD\n  A -->")
    expect(watched.page.locator("#out")).to_contain_text("could not be drawn")
    expect(watched.page.locator("#out pre")).to_contain_text("A -->")
    draw(watched, FLOW)
    expect(watched.page.locator("#out .diagram img")).to_be_visible()


@pytest.mark.parametrize(
    ("has_policy", "is_sanitised"),
    [(True, True), (True, False), (False, True)],
    ids=["both", "policy", "sanitiser"],
)
def test_s26_hostile_diagrams_run_and_load_nothing(
    browser: Browser, canary: Canary, has_policy: bool, is_sanitised: bool
) -> None:
    """The frame's own policy is part of the frame; with and without the page's two defences."""
    site = StaticSite(has_policy=has_policy, is_sanitised=is_sanitised)
    with site, open_harness(browser, site) as watched:
        watched.expected.extend(REFUSED)
        refused: list[str] = []
        watched.page.on(
            "requestfailed", lambda request: refused.append(f"{request.failure} {request.url}")
        )
        for source in HOSTILE:
            draw(watched, source)
        assert watched.page.locator("iframe").count() == 1
        assert {f"csp {url}" for url in watched.foreign} <= set(refused)
        assert not watched.errors
        assert canary.heard == 0
