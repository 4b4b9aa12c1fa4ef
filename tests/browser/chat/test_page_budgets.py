"""What the chat page may cost before anybody has asked anything; none of it depends on time."""

import pytest

from tests.browser.chat.conftest import DESKTOP, PHONE, Visit

BYTES = 150_000
REQUESTS = 100
SHIFT = 0.02  # a tenth is "good" by the Core Web Vitals
LOADED = """() => new Promise((done) => {
  let shift = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) shift += hadRecentInput ? 0 : value;
  }).observe({ type: "layout-shift", buffered: true });
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  const bytes = files
    .filter(({ name }) => /\\.(js|css)(\\?|$)|jsi18n/.test(name))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, page.encodedBodySize);
  requestAnimationFrame(() => setTimeout(() => done({ bytes, requests: files.length, shift })));
})"""


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_first_load_is_small_and_nothing_moves(visit: Visit, device: dict) -> None:
    page = visit("/", **device)
    page.wait_for_load_state("networkidle")
    found = page.evaluate(LOADED)
    assert 20_000 < found["bytes"] < BYTES
    assert found["requests"] < REQUESTS
    assert found["shift"] < SHIFT
