"""Nothing that a model writes may run, fetch from elsewhere or dress up as our interface."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watched
from tests.browser.corpus import HOSTILE

CORPUS = Path(__file__).resolve().parents[3] / "shared/data/security/markdown_exfil.jsonl"
SPLIT = "␟"
ALLOWED = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "del", "code", "pre",
    "blockquote", "ul", "ol", "li", "a", "img", "span", "div",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "href", "title", "src", "alt", "start", "class", "data-tex", "data-align", "data-lang",
    "aria-label", "data-url",
}  # fmt: skip
DRAW = """async (parts) => {
  const out = document.getElementById("out");
  out.replaceChildren();
  const stream = new MarkdownStream(out, { cites: new Set(["1"]) });
  for (const part of parts) { stream.push(part); stream.flush(); }
  stream.end();
  const elements = [...out.querySelectorAll("*")].map((el) => ({
    tag: el.localName,
    attributes: Object.fromEntries([...el.attributes].map((a) => [a.name, a.value])),
  }));
  for (const block of [...out.children]) enhance(block);
  await new Promise((done) => setTimeout(done));
  return elements;
}"""


def check(elements: list[dict]) -> None:
    for element in elements:
        assert element["tag"] in ALLOWED, element
        assert set(element["attributes"]) <= ATTRIBUTES, element
        href = element["attributes"].get("href", "#")
        assert href.startswith(("#", "/files/", "/knowledge/")), "no link leads straight to a site"
        assert element["attributes"].get("src", "/files/").startswith("/files/"), element


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown(module_page: Page, text: str) -> None:
    check(module_page.evaluate(DRAW, [[text]][0]))
    check(module_page.evaluate(DRAW, [text[i : i + 3] for i in range(0, len(text), 3)]))


def test_all_of_it_joined(module_page: Page) -> None:
    text = "\n\n".join(HOSTILE)
    check(module_page.evaluate(DRAW, [text]))
    check(module_page.evaluate(DRAW, [text[i : i + 5] for i in range(0, len(text), 5)]))


def test_the_sanitiser_alone(watched: Watched) -> None:
    """Parsing what it is about to remove, the policy is the second to refuse it."""
    watched.expected.append("Content Security Policy")
    for html in (text for text in HOSTILE if text.startswith("<")):
        check(
            watched.page.evaluate(
                """(html) => {
                  const out = document.getElementById("out");
                  out.replaceChildren(safe(html));
                  const values = (el) => [...el.attributes].map((a) => [a.name, a.value]);
                  return [...out.querySelectorAll("*")].map((el) => ({
                    tag: el.localName,
                    attributes: Object.fromEntries(values(el)),
                  }));
                }""",
                html,
            )
        )


@pytest.mark.skipif(not CORPUS.exists(), reason=f"No exfiltration corpus at {CORPUS}.")
def test_exfiltration_corpus(watched: Watched) -> None:
    watched.expected.append("404")  # /files/… is ours and not there
    for line in CORPUS.read_text().splitlines():
        case = json.loads(line)
        parts = case["markdown"].split(SPLIT)
        for chunks in (parts, ["".join(parts)], list("".join(parts))):
            elements = watched.page.evaluate(DRAW, chunks)
            check(elements)
