"""Tables and programs as they look, opened at the cited words; on a desk and on a phone."""

from collections.abc import Callable
from io import BytesIO

import pytest
from playwright.sync_api import expect

from events import jobs
from knowledge import services
from knowledge.models import Document
from tests.browser.pages.conftest import PHONE, accessibility_violations

PROGRAM = "import os\n\n\nclass Roof:\n" + "".join(
    f"    def tile_{n}(self) -> int:\n        return {n} * self.width\n\n" for n in range(80)
)
ROWS = "".join(f"Depot {n},{n * 7},open since {1900 + n % 100}\n" for n in range(300))
NOTEBOOK = (
    '{"cells": [{"cell_type": "markdown", "source": "# Study"}, {"cell_type": "code", '
    '"source": "rows = load()", "outputs": [{"output_type": "stream", "text": "3 rows"}]}]}'
)
Add = Callable[[str, str], Document]


@pytest.fixture
def add(transactional_db, alice) -> Add:
    shelf = services.create_collection(alice, "House")

    def add_file(text: str, name: str) -> Document:
        document, _ = services.add_document(alice, shelf, BytesIO(text.encode()), name)
        jobs.run(str(document.job_id))
        document.refresh_from_db()
        return document

    return add_file


def address(document: Document, words: str) -> str:
    start = document.extracted.text.index(words)
    return f"/knowledge/documents/{document.pk}/?at={start}-{start + len(words)}"


def test_a_row_a_line_and_a_cell_are_marked_where_they_stand(visit, alice, add):
    table = add(f"Depot,Quantity,Remark\n{ROWS}", "depots.csv")
    page = visit(alice, address(table, "Depot 200 | 1400"))
    row = page.locator("tr", has=page.locator("mark"))
    expect(row).to_be_in_viewport()
    expect(row.locator("mark")).to_have_text(["Depot 200", "1400"])
    expect(page.locator(".reading th")).to_have_text(["Depot", "Quantity", "Remark"])
    assert accessibility_violations(page) == []

    program = add(PROGRAM, "roof.py")
    page = visit(alice, address(program, "return 60 * self.width"))
    expect(page.get_by_role("heading", level=1)).to_have_text("roof.py")
    line = page.locator(".line", has=page.locator("mark"))
    expect(line).to_be_in_viewport()
    number = PROGRAM.split("\n").index("        return 60 * self.width") + 1
    expect(line).to_have_attribute("data-n", str(number))
    expect(page.locator("#passage-list")).to_contain_text("line ")
    page.keyboard.press("n")  # the next passage, in place
    expect(page.locator(".chunk.current")).to_have_count(1)
    expect(page.locator(".line mark").first).to_be_in_viewport()
    assert accessibility_violations(page) == []

    page = visit(alice, address(program, "return 60 * self.width"), **PHONE)
    expect(page.locator(".line mark")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")

    notebook = add(NOTEBOOK, "study.ipynb")
    page = visit(alice, address(notebook, "3 rows"))
    expect(page.locator("pre mark")).to_have_text("3 rows")
    expect(page.locator(".reading h2")).to_have_text("Study")
