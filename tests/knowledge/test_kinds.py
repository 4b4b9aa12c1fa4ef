"""Files of every kind through the whole pipeline: found, with what a citation needs."""

import io
from pathlib import Path

import fpdf
import pytest
from django.test import Client

from accounts.models import User
from knowledge import services
from knowledge.models import Chunk, Collection, Document, DocumentText
from knowledge.retrieval import search
from knowledge.unread_pages import in_ranges
from tests.knowledge import files
from tests.knowledge.conftest import run_job
from tests.support.hostile_formats import epub, plain_pptx, plain_xlsx

PROGRAM = 'import os\n\n\nclass Roof:\n    def leak(self) -> str:\n        return "umbrella drip"\n'
MAIL = b"Subject: umbrella\nFrom: ann@x.org\n\nThe umbrella is in the hall.\n"
KINDS: dict[str, bytes] = {
    "a.csv": b"Thing,Count\numbrella,3\n",
    "a.tsv": b"Thing\tCount\numbrella\t3\n",
    "a.xlsx": plain_xlsx(),
    "a.pptx": plain_pptx(),
    "a.epub": epub(),
    "a.eml": MAIL,
    "a.mbox": b"From ann Mon Jan  5 10:00:00 2026\n" + MAIL,
    "a.json": b'{"thing": "umbrella"}',
    "a.jsonl": b'{"thing": "umbrella"}\n{"thing": "coat"}\n',
    "a.ipynb": b'{"cells": [{"cell_type": "code", "source": "umbrella = 1"}]}',
    "a.rst": b"Umbrella\n========\n\nIn the hall.\n",
    "a.py": PROGRAM.encode(),
    "a.yaml": b"thing: umbrella\n",
}

pytestmark = pytest.mark.django_db


def add(alice: User, handbook: Collection, name: str, content: bytes) -> Document:
    document, _ = services.add_document(alice, handbook, io.BytesIO(content), name)
    run_job(document)
    assert document.status == Document.Status.READY, document.reason
    return document


def test_every_kind_is_found_and_shown_at_the_passage(
    alice: User, handbook: Collection, client: Client
) -> None:
    client.force_login(alice)
    for name, content in KINDS.items():
        document = add(alice, handbook, name, content)
        text = document.extracted.text
        at = text.lower().index("umbrella")
        page = client.get(f"/knowledge/documents/{document.pk}/?at={at}-{at + 8}")
        assert page.status_code == 200
        mark = f'<mark id="passage" tabindex="-1">{text[at : at + 8]}</mark>'
        assert mark in page.content.decode(), name
    found = {passage.document_id for passage in search(alice, "umbrella", limit=50).passages}
    assert found == set(Document.objects.values_list("pk", flat=True))


def test_rows_of_a_table_are_found_by_the_names_of_their_columns(
    alice: User, handbook: Collection
) -> None:
    rows = "".join(f"D{n},{n * 7},remark {n}\n" for n in range(400))
    document = add(alice, handbook, "depots.csv", f"Depot,Quantity,Why\n{rows}".encode())
    best = search(alice, "quantity of D333", limit=1).passages[0]
    assert "D333 | 2331" in best.text
    assert best.head == "Depot | Quantity | Why"
    assert document.extracted.text[best.start : best.end] == best.text


def test_a_program_is_cited_by_its_lines(alice: User, handbook: Collection, client: Client) -> None:
    document = add(alice, handbook, "roof.py", PROGRAM.encode())
    passage = search(alice, "umbrella drip", limit=1).passages[0]
    assert passage.title == "roof.py"
    assert passage.lines is not None
    first, last = passage.lines
    assert "umbrella drip" in "\n".join(PROGRAM.split("\n")[first - 1 : last])
    client.force_login(alice)
    page = client.get(f"/knowledge/documents/{document.pk}/").content.decode()
    assert '<span class="line" data-n="6">' in page
    listed = client.get(f"/api/v1/documents/{document.pk}/chunks").json()["items"]
    assert [chunk["line"] for chunk in listed] == [
        *Chunk.objects.filter(document=document).values_list("line", flat=True)
    ]


def test_passages_know_their_language(alice: User, handbook: Collection) -> None:
    english = "# Roof\n\nThe roof of the house does not leak in the rain."
    text = f"{english}\n\n# 屋顶\n\n这座房子的屋顶不会漏水。\n"
    document = add(alice, handbook, "a.md", text.encode())
    languages = Chunk.objects.filter(document=document).values_list("language", flat=True)
    assert list(languages) == ["en", "zh-hans"]


def test_pages_that_are_pictures_are_named(
    alice: User, handbook: Collection, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(files.make_picture())
    pdf = fpdf.FPDF()
    for number in range(1, 7):
        pdf.add_page()
        if number in {2, 4, 5}:
            pdf.image(str(tmp_path / "a.png"), w=100)
        elif number != 6:  # nothing at all is no picture
            pdf.set_font("Helvetica")
            pdf.multi_cell(0, text="Umbrellas are kept in the hall beside the door.")
    document = add(alice, handbook, "a.pdf", bytes(pdf.output()))
    assert DocumentText.objects.get(document=document).pages_without_text == [2, 4, 5]
    client.force_login(alice)
    page = client.get(f"/knowledge/documents/{document.pk}/").content.decode()
    assert "Pages 2, 4–5 hold no text" in page
    assert (in_ranges([]), in_ranges([3])) == ("", "3")
