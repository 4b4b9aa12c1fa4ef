"""Documents as they look: pages of real PDFs with the passage marked in place, structure of others.

`visit` fails on every error in the console, refusal by the policy and foreign request.
"""

import json
from collections.abc import Callable
from io import BytesIO

import pytest
from playwright.sync_api import FloatRect, Page, expect

from events import jobs
from knowledge import services
from knowledge.models import Document
from knowledge.storage import path_of
from tests.browser.canary import Canary
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.support import papers

# The page's ink below the boxes, as a share: a box over nothing would have none.
INK = """(box) => {
    const page = box.closest(".pdf-page");
    const canvas = page.querySelector("canvas");
    const scale = canvas.width / page.clientWidth;
    const [x, y, w, h] = [box.offsetLeft, box.offsetTop, box.offsetWidth, box.offsetHeight];
    const area = [x * scale, y * scale, Math.max(w * scale, 1), Math.max(h * scale, 1)];
    const { data } = canvas.getContext("2d").getImageData(...area.map(Math.round));
    let dark = 0;
    for (let i = 0; i < data.length; i += 4) dark += data[i] < 140;
    return (4 * dark) / data.length;
}"""
# The text that lies below the boxes, by the text layer: [page, text without spaces].
BELOW = """() => [...document.querySelectorAll(".pdf-boxes .cited")].map((box) => {
    const page = box.closest(".pdf-page");
    const at = box.getBoundingClientRect();
    const spans = [...page.querySelectorAll(".textLayer > span")].filter((span) => {
        const r = span.getBoundingClientRect();
        const [x, y] = [(r.left + r.right) / 2, (r.top + r.bottom) / 2];
        return y > at.top && y < at.bottom && r.left < at.right && r.right > at.left;
    });
    const text = spans.map((span) => span.textContent).join("");
    return [Number(page.dataset.page), text.replace(/\\s/g, "")];
})"""
Add = Callable[..., Document]


@pytest.fixture
def add(transactional_db, alice) -> Add:
    shelf = services.create_collection(alice, "Papers")

    def add_file(data: bytes | str, name: str) -> Document:
        stream = BytesIO(data.encode() if isinstance(data, str) else data)
        document, _ = services.add_document(alice, shelf, stream, name)
        jobs.run(str(document.job_id))
        document.refresh_from_db()
        return document

    return add_file


def address(document: Document, words: str = "", **others: str) -> str:
    parts = [f"{name}={value}" for name, value in others.items()]
    if words:
        start = document.extracted.text.index(words)
        parts.append(f"at={start}-{start + len(words)}")
    return f"/knowledge/documents/{document.pk}/?{'&'.join(parts)}"


def shown(page: Page, state: str = "shown") -> Page:
    expect(page.locator(f"#pdf[data-state={state}]")).to_be_visible()
    return page


def marked(page: Page) -> tuple[set[int], str]:
    """On which pages the boxes lie and over which lines."""
    expect(page.locator(".pdf-boxes .cited").first).to_be_in_viewport()
    found = page.evaluate(BELOW)
    assert all(page.locator(".pdf-boxes .cited").evaluate_all(f"(all) => all.map({INK})"))
    return {number for number, _ in found}, "".join(text for _, text in found)


def size_of(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box


def squeezed(text: str) -> str:
    return "".join(text.split()).replace("-", "")


def test_a_passage_in_two_columns_is_marked_on_its_page(visit, alice, add):
    document = add(papers.columns(), "columns.pdf")
    page = shown(visit(alice, address(document, papers.EVIDENCE)))
    on, lines = marked(page)
    assert on == {3}
    assert squeezed(papers.EVIDENCE) in lines.replace("-", "")
    assert page.locator(".pdf-boxes .cited").count() > 3  # several lines of a narrow column
    expect(page.locator("[data-pdf-note]")).to_be_hidden()
    expect(page.get_by_label("Page", exact=True)).to_have_value("3")
    before = size_of(page, ".pdf-boxes .cited")
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Larger").click()
    expect(page.locator("[data-page='3'][data-drawn] canvas")).to_have_count(1)
    page.keyboard.press("n")  # the next passage, in place
    expect(page.locator(".chunk.current")).to_have_count(1)
    expect(page.locator("#reader-status")).to_contain_text("Show passage")
    shown(page)
    after = size_of(page, ".pdf-boxes .cited")
    assert before["width"] != after["width"]
    search = page.get_by_label("Search in the document")
    search.fill("correspon dence every MORNING")
    expect(page.locator("[data-search-count]")).to_have_text("9 of 13")  # from this page on
    expect(page.locator(".pdf-boxes .current").first).to_be_in_viewport()
    search.press("Enter")
    expect(page.locator("[data-search-count]")).to_have_text("10 of 13")
    search.fill("there is nothing like it")
    expect(page.locator("[data-search-count]")).to_have_text("Not found")
    assert len(page.locator("canvas").all()) <= 12


def test_chinese_without_a_font_of_its_own_is_drawn_and_marked(visit, alice, add):
    document = add(papers.chinese(), "answers.pdf")
    page = shown(visit(alice, address(document, papers.ANSWERED)))
    on, lines = marked(page)
    assert on == {2}
    assert squeezed(papers.ANSWERED) in lines
    page.get_by_label("Search in the document").fill("书面形式")
    expect(page.locator("[data-search-count]")).to_have_text("1 of 1")
    page.get_by_role("link", name="Stored text").click()
    expect(page.locator("article.reading mark").first).to_be_in_viewport()
    expect(page.locator("article.reading")).to_contain_text(papers.ANSWERED[:20])
    page.get_by_role("link", name="Pages").click()
    assert marked(shown(page))[0] == {2}


def test_a_page_that_lies_on_its_side_is_marked_where_it_is_seen(visit, alice, add):
    document = add(papers.rotated(), "rotated.pdf")
    page = shown(visit(alice, address(document, papers.EVIDENCE)))
    on, lines = marked(page)
    assert on == {2}
    assert squeezed(papers.EVIDENCE) in lines
    box = size_of(page, ".pdf-boxes .cited")
    assert box["width"] > 5 * box["height"]  # the line is read from left to right


def test_nothing_in_a_pdf_runs_and_its_links_are_asked_about(visit, alice, add, canary: Canary):
    document = add(papers.lively(), "lively.pdf")
    page = shown(visit(alice, address(document, papers.EVIDENCE)))
    assert marked(page)[0] == {1}
    assert page.locator(".pdf-page input, .pdf-page form, iframe, object, embed").count() == 0
    expect(page.locator(".pdf-links a")).to_have_count(2)  # the script is none
    page.get_by_role("link", name="Link within the document").click()
    expect(page.get_by_label("Page", exact=True)).to_have_value("2")
    page.get_by_role("button", name="Previous page").click()
    page.get_by_role("link", name="Link to https://attacker.example").click()
    dialog = page.locator("#away-dialog")
    expect(dialog.locator("[data-address]")).to_have_text(papers.ELSEWHERE)
    assert "noopener" in (dialog.locator("[data-open]").get_attribute("rel") or "")
    page.keyboard.press("Escape")
    assert page.url.startswith(page.evaluate("location.origin"))
    assert canary.heard == 0


def test_what_cannot_be_drawn_says_so_and_leaves_the_text(visit, alice, add):
    document = add(papers.encrypted(), "locked.pdf")
    page = shown(visit(alice, address(document)), "failed")
    expect(page.locator("[data-pdf-note]")).to_contain_text("protected by a password")
    broken = add(papers.chinese(), "broken.pdf")
    path_of(broken.pk).write_bytes(papers.broken())
    page.goto(address(broken, papers.ANSWERED))
    expect(shown(page, "failed").locator("[data-pdf-note]")).to_contain_text("damaged")
    expect(page.locator("article.reading mark").first).to_contain_text(papers.ANSWERED[:10])


HOSTILE = """<!doctype html><title>Rules</title><style>body{display:none}</style>
<script>alert(1)</script><main onclick="alert(1)"><h1>Rules <img src=//attacker.example/p></h1>
<p>Leave is asked for <b>in writing</b> and <a href="javascript:alert(1)">never</a> by
<a href="https://attacker.example/q" onmouseover="alert(1)">pigeon</a>.</p>
<ul><li>first<ul><li>inner</li></ul></li></ul>
<table><tr><th>Kind<th>Days<tr><td>Annual<td>28</table>
<iframe src="https://attacker.example/f"></iframe><form action="https://attacker.example"></form>
<pre>weeks = 4</pre></main>"""


def test_other_files_keep_their_structure_and_lose_what_is_dangerous(
    visit, alice, add, canary: Canary
):
    html = add(HOSTILE, "rules.html")
    page = visit(alice, address(html, "writing and never by pigeon"))
    text = page.get_by_role("article", name="Text of the document")
    expect(text.locator("mark").first).to_be_in_viewport()
    assert "".join(text.locator("mark").all_inner_texts()) == "writing and never by pigeon"
    expect(text.locator("strong mark, mark strong").first).to_have_text("writing")
    expect(text.get_by_role("heading", name="Rules")).to_be_visible()
    expect(text.get_by_role("columnheader", name="Days")).to_be_visible()
    expect(text.get_by_role("listitem")).to_have_count(2)
    expect(text.locator("pre")).to_have_text("weeks = 4")
    assert text.locator("script, style, img, iframe, form, [onclick], [onmouseover]").count() == 0
    assert text.locator("a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))") == [
        "#away"
    ]
    text.get_by_role("link", name="pigeon").first.click()
    expect(page.locator("#away-dialog [data-address]")).to_have_text("https://attacker.example/q")
    page.keyboard.press("Escape")
    assert canary.heard == 0
    assert not accessibility_violations(page)

    word = add(papers.word(), "leave.docx")
    page.goto(address(word, "二十八天"))
    expect(page.locator("td mark")).to_have_text("二十八天")
    expect(page.locator(".items li")).to_have_count(3)
    page.get_by_role("link", name="Stored text").click()
    expect(page.locator("article.reading mark")).to_have_text("二十八天")
    expect(page.locator("article.reading table")).to_have_count(0)
    page.get_by_role("link", name="As in the file").click()
    expect(page.locator("td mark")).to_be_in_viewport()
    page.get_by_role("button", name="Previous passage").click()
    expect(page.locator("article.reading mark").first).to_be_visible()


def test_a_document_fills_a_phone_and_its_passages_come_as_a_sheet(visit, alice, add):
    document = add(papers.columns(2), "columns.pdf")
    page = shown(visit(alice, address(document), **PHONE))
    expect(page.locator("#passages")).not_to_be_in_viewport()
    page.get_by_role("button", name="Passages").tap()
    expect(page.locator("#passages")).to_be_in_viewport()
    page.locator("#passages [data-shows]").nth(3).tap()
    expect(page.locator("#passages")).not_to_be_in_viewport()
    expect(page.locator(".pdf-boxes .cited").first).to_be_in_viewport()
    assert not accessibility_violations(page)


def test_the_reader_is_usable_by_everybody(visit, alice, add):
    document = add(papers.lively(), "lively.pdf")
    page = shown(visit(alice, address(document, papers.EVIDENCE)))
    assert not accessibility_violations(page)
    page.locator("#pages").focus()
    page.keyboard.press("Control+f")
    expect(page.get_by_label("Search in the document")).to_be_focused()


MATCHES = [
    # needle, haystack, before, after → the stretch, exact?
    ("Four weeks ahead.", "… four  weeks\na-\nhead! …", "", "", "four  weeks\na-\nhead", True),
    ("提前四周", "员工应当提\n前 四周以书面", "", "", "提\n前 四周", True),
    ("the same", "one: the same. two: the same.", "two", "", "the same", True),
    ("office", "the o\ufb03ce is", "", "", "o\ufb03ce", True),
    ("ＡＢＣ１２３", "x abc 123 y", "", "", "abc 123", True),
    ("There is nothing like it here", "Something else entirely was said.", "", "", None, False),
]


@pytest.mark.parametrize(("needle", "text", "before", "after", "found", "is_exact"), MATCHES)
def test_words_are_found_in_another_reading_of_them(
    module_page: Page, needle, text, before, after, found, is_exact
):
    got = module_page.evaluate(
        """async ([needle, text, before, after]) => {
            const { locate, reduce } = await import("/js/text-match.js");
            const hay = reduce(text);
            const letters = (words) => reduce(words).letters;
            const around = { before: letters(before), after: letters(after) };
            const hit = locate(letters(needle), hay.letters, around);
            if (!hit) return null;
            const [start, end] = hit.spans[0];
            const last = hay.at[end - 1];
            return [text.slice(hay.at[start], last + 1), hit.share, hay.at[start]];
        }""",
        [needle, text, before, after],
    )
    if found is None:
        assert got is None or got[1] < 0.5
    else:
        assert got[0] == found
        assert (got[1] == 1) is is_exact
        assert not before or got[2] > text.index(before)


def test_a_passage_with_a_footer_in_its_middle_is_found_in_two_pieces(module_page: Page):
    whole = papers.EVIDENCE
    text = f"{papers.FILLER} {whole[:60]} Internal page 3 of 12 {whole[60:]} {papers.FILLER}"
    got = module_page.evaluate(
        """async ([needle, text]) => {
            const { locate, reduce } = await import("/js/text-match.js");
            const hay = reduce(text);
            const hit = locate(reduce(needle).letters, hay.letters);
            const at = ([start, end]) => text.slice(hay.at[start], hay.at[end - 1] + 1);
            return [hit.spans.map(at), hit.share];
        }""",
        [whole, text],
    )
    assert json.dumps(got[0]) == json.dumps([whole[:60].strip(), whole[60:].strip().rstrip(".")])
    assert got[1] == 1
