"""Knowledge in a real browser: upload, watch, read, share, delete."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from events import jobs
from knowledge import services
from knowledge.models import Document, Stage
from tests.browser.pages.conftest import DESKTOP, PHONE

TEXT = "# Leave\n\nFour weeks of notice are needed.\n\n" + "Much else is said.\n\n" * 60
TEXT += "## 請假\n\n員工須於四週前提出申請。\n\n" + "And the end.\n\n" * 60


@pytest.fixture
def handbook(transactional_db, alice):
    return services.create_collection(alice, "Handbook")


@pytest.fixture
def note_file(tmp_path: Path) -> Path:
    path = tmp_path / "leave.md"
    path.write_text(TEXT)
    return path


@pytest.fixture
def note(alice, handbook, note_file) -> Document:
    with note_file.open("rb") as file:
        document, _ = services.add_document(alice, handbook, file, "leave.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


def row(page: Page, name: str):
    return page.locator("tr[data-document]", has_text=name)


def test_a_file_is_uploaded_watched_and_read(visit, alice, handbook, note_file):
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    expect(page.get_by_text("No documents yet")).to_be_visible()
    page.locator("#files").set_input_files(note_file)
    expect(row(page, "leave")).to_contain_text("Waiting")
    expect(page.get_by_role("progressbar", name="0 of 1 documents finished")).to_be_visible()

    document = Document.objects.get()
    Document.objects.filter(pk=document.pk).update(status="running")
    document.stages.filter(name=Stage.Name.EMBED).update(status="running", done=3, total=8)
    expect(row(page, "leave")).to_contain_text("3 of 8 passages")
    Document.objects.filter(pk=document.pk).update(status="queued")

    jobs.run(str(document.job_id))
    expect(row(page, "Leave")).to_contain_text("Ready")
    expect(page.locator("#toasts")).to_contain_text("Indexing is finished.")
    expect(page.locator("#document-count")).to_have_text("1")
    expect(page.locator("#progress .job")).to_have_count(0)
    row(page, "Leave").get_by_role("link", name="Leave").click()
    expect(page.get_by_role("article", name="Text of the document")).to_contain_text("四週前")


def test_files_dropped_on_the_page_are_queued_and_bad_ones_explained(visit, alice, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["Plain words."], "one.txt"));
            data.items.add(new File(["x"], "two.exe"));
            data.items.add(new File([], "three.md"));
            const send = (type) =>
                dispatchEvent(new DragEvent(type, { dataTransfer: data, cancelable: true }));
            send("dragenter");
            send("drop");
        }"""
    )
    expect(row(page, "one")).to_have_count(1)
    queue = page.locator("#queue")
    expect(queue.locator("li", has_text="two.exe")).to_contain_text("cannot be read")
    expect(queue.locator("li", has_text="three.md")).to_contain_text("empty")
    queue.locator("li", has_text="two.exe").get_by_role("button", name="Cancel").click()
    expect(queue.locator("li")).to_have_count(1)
    assert Document.objects.count() == 1


def test_the_same_file_again_is_not_a_second_document(visit, alice, handbook, note, note_file):
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    page.locator("#files").set_input_files(note_file)
    expect(page.locator("#queue")).to_contain_text("in the collection already")
    expect(page.locator("tr[data-document]")).to_have_count(1)


def test_a_failure_says_why_and_can_be_tried_again(visit, alice, handbook, note):
    Document.objects.filter(pk=note.pk).update(
        status="failed", reason="This PDF has no text layer; it needs OCR."
    )
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    expect(row(page, "Leave")).to_contain_text("Needs OCR")
    expect(row(page, "Leave")).to_contain_text("no text layer")
    row(page, "Leave").get_by_role("button", name="Try again").click()
    expect(row(page, "Leave")).to_contain_text("Waiting")


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_citation_opens_at_its_words(visit, alice, note, device):
    start = note.extracted.text.index("四週前")
    address = f"/knowledge/documents/{note.pk}/?start={start}&end={start + 3}#passage"
    page = visit(alice, address, **device)
    expect(page.locator("mark")).to_have_text(["四週前"])
    expect(page.locator("mark")).to_be_in_viewport()
    expect(page.locator("mark")).to_be_focused()
    expect(page.locator(".chunk.current")).to_have_count(1)
    if device is PHONE:  # where they come as a sheet
        page.get_by_role("button", name="Passages").click()
    page.get_by_role("link", name="Show passage 1 in the text").click()
    expect(page.locator("mark").first).to_contain_text("Four weeks of notice")


def test_passages_are_shown_beside_the_list_and_a_document_is_deleted(visit, alice, handbook, note):
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    page.get_by_role("button", name="passages of Leave").click()
    expect(page.locator("#preview")).to_contain_text("Four weeks of notice")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Actions for Leave").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("“Leave” is deleted.")
    expect(row(page, "Leave")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "Leave")).to_have_count(1)
    row(page, "Leave").get_by_role("link").first.click()  # and once more from its own page
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Document deleted.")
    expect(row(page, "Leave")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "Leave")).to_have_count(1)
    page.get_by_role("button", name="Actions for Leave").press("Enter")
    expect(page.locator("#document-menu [data-open-document]")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(row(page, "Leave")).to_have_count(0)
    expect(page.get_by_text("No documents yet")).to_be_visible()


def test_a_collection_is_made_filtered_and_searched(visit, alice, handbook, note):
    page = visit(alice, "/knowledge/")
    page.get_by_role("button", name="New collection").click()
    page.get_by_label("Name").fill("Maths")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Maths", level=1)).to_be_visible()
    page.goto(f"/knowledge/{handbook.pk}/")
    page.get_by_label("Filter by name").fill("nothing like it")
    expect(page.get_by_text("No document matches")).to_be_visible()
    page.get_by_role("link", name="Test search").click()
    page.get_by_label("Question").fill("四週前提出")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".hit").first).to_contain_text("rank 1")
    expect(page.locator(".hit .excerpt b").first).to_contain_text("四週前提出")


def test_sharing_changes_who_sees_it(visit, alice, bob, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/access/")
    page.get_by_label("E-mail address").fill(bob.email)
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_label("What Bob may do")).to_have_value("reader")
    theirs = visit(bob, f"/knowledge/{handbook.pk}/")
    expect(theirs.get_by_role("button", name="Add documents")).to_have_count(0)
    page.get_by_label("What Bob may do").select_option("editor")
    expect(page.get_by_label("What Bob may do")).to_have_value("editor")
    page.wait_for_load_state()
    theirs.reload()
    expect(theirs.get_by_role("button", name="Add documents")).to_be_visible()
