"""Files inside messages: read by the readers of files, and never the message's undoing."""

import email.message
import email.policy
from pathlib import Path

from docx import Document

from knowledge.extraction import attached
from tests.knowledge import files
from tests.knowledge.extraction.reading import read, said


def message() -> email.message.EmailMessage:
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["Subject"], made["From"] = "Roof", "ann@x.org"
    made.set_content("See below.")
    return made


def attach(made: email.message.EmailMessage, name: str, data: bytes) -> None:
    made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)


def test_what_attached_files_say_is_a_section_under_their_name(tmp_path: Path):
    made = message()
    files.make_pdf(tmp_path / "handbook.pdf")
    attach(made, "handbook.pdf", (tmp_path / "handbook.pdf").read_bytes())
    word = Document()
    word.add_heading("Slates", 1)
    word.add_paragraph("Twelve are loose.")
    word.save(str(tmp_path / "a.docx"))
    attach(made, "slates.docx", (tmp_path / "a.docx").read_bytes())
    attach(made, "prices.csv", b"Slate,Price\nWelsh,12\n")
    attach(made, "notes.txt", "Größe: zwölf.".encode())
    found = read(tmp_path / "a", "eml", made.as_bytes())
    sections = [text for kind, text in said(found) if kind == "heading"]
    assert [name for name in sections if "." in name] == [
        "handbook.pdf", "slates.docx", "prices.csv", "notes.txt",
    ]  # fmt: skip
    for words in ("Twelve are loose.", "Slate | Price\nWelsh | 12", "Größe: zwölf."):
        assert words in found.text
    levels = {found.text[b.start : b.end]: b.level for b in found.blocks if b.kind == "heading"}
    assert (levels["Roof"], levels["slates.docx"], levels["Slates"]) == (1, 2, 3)
    assert all(block.page is None for block in found.blocks)


def test_one_that_is_damaged_or_unknown_or_a_bomb_costs_the_message_nothing(tmp_path: Path):
    made = message()
    for name, data in (
        ("a.pdf", b"%PDF-1.7 broken"), ("b.docx", b"PK\x03\x04 broken"), ("c.exe", b"MZ"),
        ("d", b"no ending"), ("e.json", b"[" * 100_000), ("f.txt", b""),
    ):  # fmt: skip
        attach(made, name, data)
    found = read(tmp_path / "a", "eml", made.as_bytes())
    assert said(found)[-1] == ("list", "- a.pdf\n- b.docx\n- c.exe\n- d\n- e.json\n- f.txt")
    assert "See below." in found.text


def test_a_mailbox_reads_so_many_attachments_and_no_more(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(attached, "MOST", 3)
    made = message()
    for number in range(5):
        attach(made, f"{number}.txt", f"Number {number}.".encode())
    box = b"From ann@x.org Mon Jan  5 10:00:00 2026\n" + made.as_bytes().replace(b"\r\n", b"\n")
    found = read(tmp_path / "a", "mbox", box + b"\n")
    assert "Number 2." in found.text
    assert "Number 3." not in found.text
    assert "- 4.txt" in found.text
