"""Sources in a real browser: connect a folder, look, sync, see what failed, pause, delete."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from events import jobs
from events.models import Job
from knowledge import services
from knowledge.models import Document, Source, SyncRun
from tests.browser.pages.conftest import PHONE, accessibility_violations


@pytest.fixture
def shared(tmp_path: Path, settings) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nFour weeks of notice.")
    (folder / "travel.md").write_text("# Travel\n\nTrains are preferred.")
    (folder / "photo.xyz").write_text("nothing to read")
    settings.PARLEY_SOURCE_ROOTS = [str(folder)]
    return folder


def work() -> None:
    """What a worker does when it hears of the sources' jobs."""
    waiting = Job.objects.filter(task__startswith="knowledge.sources.", finished_at=None)
    for pk in list(waiting.values_list("pk", flat=True)):
        jobs.run(str(pk))


def test_a_folder_is_connected_synced_and_let_go(transactional_db, visit, admin, shared):
    handbook = services.create_collection(admin, "Handbook")
    page = visit(admin, f"/knowledge/{handbook.pk}/")
    page.get_by_role("navigation", name="Collection").get_by_role("link", name="Sources").click()
    expect(page.get_by_role("heading", name="Keep this collection in step")).to_be_visible()
    assert not accessibility_violations(page)
    page.get_by_role("button", name="Add a source").click()
    page.get_by_role("dialog").get_by_role("link", name="Folder on the server").click()

    page.get_by_label("Name", exact=True).fill("Shared drive")
    page.get_by_label("Folder on the server").fill("/etc")
    page.get_by_role("button", name="Look what is there").click()
    expect(page.get_by_text("This is no folder that sources may read.")).to_be_visible()
    assert not accessibility_violations(page)
    page.get_by_label("Folder on the server").fill(str(shared))
    page.get_by_role("button", name="Look what is there").click()

    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    assert not accessibility_violations(page)
    work()
    preview = page.get_by_role("region", name="What is there")
    expect(preview).to_contain_text("leave.md")
    expect(preview).to_contain_text("1 would be refused")
    assert not Document.objects.exists()

    page.get_by_role("button", name="Start the first sync").click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    work()
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("2 added")
    expect(page.get_by_role("region", name="Items that need attention")).to_contain_text(
        "photo.xyz"
    )
    assert not accessibility_violations(page)

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Sync", exact=True).select_option("hourly")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".facts-of-source")).to_contain_text("every hour")

    page.get_by_role("link", name="Sources").click()
    expect(page.get_by_role("listitem").filter(has_text="Shared drive")).to_contain_text("in step")
    assert not accessibility_violations(page)
    page.get_by_role("link", name="Shared drive").click()
    page.get_by_role("button", name="Delete this source").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("They stay, like uploads")).to_be_checked()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Keep this collection in step")).to_be_visible()
    work()
    assert Document.objects.filter(collection=handbook).count() == 2
    assert not Source.objects.filter(kind="folder").exists()


def test_a_source_on_a_phone(transactional_db, visit, admin):
    handbook = services.create_collection(admin, "Handbook")
    source = Source.objects.create(
        collection=handbook, kind="web", name="Our website", added_by=admin,
        settings={"address": "https://www.example.org/a/rather/long/address/of/the/handbook/"},
    )  # fmt: skip
    SyncRun.objects.create(
        source=source, status="failed", added=12, failed=3, removed=2, unchanged=480,
        reason="The site does not want robots there.",
        sample=[{"item": "https://www.example.org/x", "reason": "The page has no text."}],
    )  # fmt: skip
    source.items.create(
        key=source.pk, external_id="https://www.example.org/x" + "/long" * 40, state="failed",
        reason="The page has no text.",
    )  # fmt: skip
    api = Source.objects.create(collection=handbook, kind="api", name="Wiki", added_by=admin)
    page = visit(admin, f"/knowledge/{handbook.pk}/sources/", **PHONE)
    for path in ("", f"../../sources/{source.pk}/", f"../../sources/{source.pk}/settings/",
                 f"../../sources/{api.pk}/"):  # fmt: skip
        page.goto(f"/knowledge/{handbook.pk}/sources/{path}")
        assert not accessibility_violations(page), path
