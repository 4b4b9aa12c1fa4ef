"""What the chat page may cost before anybody has asked anything; none of it depends on time."""

import pytest

from tests.browser.chat.conftest import DESKTOP, PHONE, Visit

BYTES = 150_000
REQUESTS = 100
SHIFT = 0.02  # a tenth is "good" by the Core Web Vitals
SLOWER = 12  # times: what a slow machine would paint early is painted early here
LOADED = """() => new Promise((done) => {
  const shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      const moved = sources.map(({ node }) => node?.className ?? node?.nodeName);
      if (!hadRecentInput) shifts.push([value, ...moved]);
    }
  }).observe({ type: "layout-shift", buffered: true });
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  const bytes = files
    .filter(({ name }) => /\\.(js|css)(\\?|$)|jsi18n/.test(name))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, page.encodedBodySize);
  requestAnimationFrame(() => setTimeout(() => done({ bytes, requests: files.length, shifts })));
})"""

FIRST_FRAME = """requestAnimationFrame(() => {
  window.isWhole = document.getElementById("sources") !== null;
});"""


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_first_load_is_small_and_nothing_moves(visit: Visit, device: dict) -> None:
    page = visit("/", **device)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(FIRST_FRAME)
    page.reload(wait_until="networkidle")
    assert page.evaluate("window.isWhole"), "it was painted before the composer had been read"
    found = page.evaluate(LOADED)
    assert 20_000 < found["bytes"] < BYTES
    assert found["requests"] < REQUESTS
    assert sum(shift[0] for shift in found["shifts"]) < SHIFT, found["shifts"]
