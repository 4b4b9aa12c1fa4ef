"""Nothing that a model writes may run, fetch from elsewhere or dress up as our interface."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.canary import Canary
from tests.browser.conftest import Watched, open_harness
from tests.browser.corpus import HOSTILE
from tests.browser.static_site import StaticSite

CORPUS = Path(__file__).resolve().parents[3] / "shared/data/security/markdown_exfil.jsonl"
SPLIT = "␟"
AT_EVERY_SPLIT = "([texts, longest, some]) => drawAtEverySplit(texts, longest, some)"
FINISHED = "([texts, sizes, check]) => drawFinished(texts, sizes, check ?? true)"
WHOLE = 0  # a size: not in pieces
RAW_HTML = [text for text in HOSTILE if text.startswith("<")]
# A policy does not speak of where a page itself goes, nor of connections opened ahead of use (for
# a frame, Chromium opens one before it asks the policy). In an answer raw HTML never becomes
# elements, so all of these stay text; left out where the policy is alone with raw HTML.
BEYOND_A_POLICY = ("http-equiv=refresh", "rel=preconnect", "rel=dns-prefetch", "<iframe src=http")


def check_quiet(watched: Watched, canary: Canary) -> None:
    """No request to elsewhere, no dialog, no connection that only the listener saw."""
    watched.page.wait_for_timeout(50)
    assert not watched.foreign
    assert "dialog" not in watched.errors
    assert canary.heard == 0


def test_s26_hostile_markdown_at_every_split(watched: Watched, canary: Canary) -> None:
    """And with both defences up, nothing gets as far as the policy."""
    watched.expected.append("404")  # /files/… is ours and not there
    assert len(HOSTILE) == len(set(HOSTILE)) > 120
    result = watched.page.evaluate(AT_EVERY_SPLIT, [HOSTILE, 45, 12])
    assert not result["found"]
    assert result["drawn"] > 2000
    assert not watched.page.evaluate(FINISHED, [HOSTILE, [WHOLE, 1]])
    assert watched.page.evaluate("violations") == []
    check_quiet(watched, canary)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_s26_hostile_markdown_at_truly_every_split(watched: Watched, canary: Canary) -> None:
    watched.expected.append("404")
    for text in [*HOSTILE, *corpus_texts(), "\n\n".join(HOSTILE)[:6000]]:
        result = watched.page.evaluate(AT_EVERY_SPLIT, [[text], 10**6, 1])
        assert not result["found"]
    assert watched.page.evaluate("violations") == []
    check_quiet(watched, canary)


def test_all_of_it_joined(watched: Watched) -> None:
    watched.expected.append("404")
    assert not watched.page.evaluate(FINISHED, [["\n\n".join(HOSTILE)], [WHOLE, 29]])


@pytest.mark.parametrize(
    ("has_policy", "is_sanitised"), [(True, False), (False, True)], ids=["policy", "sanitiser"]
)
def test_s26_either_defence_holds_alone(
    browser: Browser, canary: Canary, has_policy: bool, is_sanitised: bool
) -> None:
    site = StaticSite(has_policy=has_policy, is_sanitised=is_sanitised)
    with site, open_harness(browser, site) as watched:
        texts = [*HOSTILE, *corpus_texts()]
        assert not watched.page.evaluate(FINISHED, [texts, [WHOLE, 7], is_sanitised])
        check_quiet(watched, canary)


def test_s26_the_sanitiser_alone_on_raw_html(browser: Browser, canary: Canary) -> None:
    """As if Markdown let HTML through: without a policy, all rests on what `safe` leaves."""
    with StaticSite(has_policy=False) as site, open_harness(browser, site) as watched:
        for html in RAW_HTML:
            found = watched.page.evaluate(
                """(html) => {
                  document.getElementById("out").replaceChildren(safe(html));
                  return findForbidden(document.getElementById("out"));
                }""",
                html,
            )
            assert not found, html
        check_quiet(watched, canary)


def test_s26_the_policy_alone_on_raw_html(browser: Browser, canary: Canary) -> None:
    """As if nothing were escaped and nothing sanitised: the browser refuses every one of them."""
    with StaticSite(is_sanitised=False) as site, open_harness(browser, site) as watched:
        for html in RAW_HTML:
            if not any(name in html for name in BEYOND_A_POLICY):
                watched.page.evaluate(
                    'html => document.getElementById("out").replaceChildren(safe(html))', html
                )
        watched.page.wait_for_timeout(50)
        assert len(watched.page.evaluate("violations")) > 20
        assert "dialog" not in watched.errors
        assert canary.heard == 0


def corpus_texts() -> list[str]:
    if not CORPUS.exists():
        return []
    cases = map(json.loads, CORPUS.read_text().splitlines())
    return [case["markdown"].replace(SPLIT, "") for case in cases]


@pytest.mark.skipif(not CORPUS.exists(), reason=f"No exfiltration corpus at {CORPUS}.")
def test_exfiltration_corpus(watched: Watched, canary: Canary) -> None:
    watched.expected.append("404")
    result = watched.page.evaluate(AT_EVERY_SPLIT, [corpus_texts(), 45, 12])
    assert not result["found"]
    assert not watched.page.evaluate(FINISHED, [corpus_texts(), [WHOLE, 1, 7]])
    assert watched.page.evaluate("violations") == []
    check_quiet(watched, canary)


def test_a_link_to_elsewhere_shows_its_whole_address(module_page: Page) -> None:
    """s27: what the model calls a link says nothing; the interstitial has the address itself."""
    address = "https://user@attacker.example:8443/a?b=%E2%80%AE#c"
    html = module_page.evaluate(
        "(text) => drawFinished([text], [0]).then(() => document.getElementById('out').innerHTML)",
        f"[your bank]({address})",
    )
    assert 'href="#away"' in html
    assert f'data-url="{address}"' in html
