"""Pages of those who look after a collection, and what its readers see of their work."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.shots import acts
from tests.shots.scene import Scene, State

LINES = """question,document,quote,nothing
How long are backups kept?,Data retention,from backups within thirty-five,
What may a hotel in Porto cost?,,,yes
Who pays for the taxi?,Taxi rules,,
"""


def of_collection(rest: str) -> Callable[[Scene], str]:
    return lambda scene: f"/knowledge/{scene.collection}/{rest}"


def of_row(name: str, path: str) -> Callable[[Scene], str]:
    return lambda scene: path.format(scene.rows[name])


def run_page(scene: Scene) -> str:
    return f"/knowledge/{scene.collection}/quality/runs/{scene.rows['run']}/"


def tall(page: Page) -> None:
    """The chart is drawn; scrolled content stands in a tall window."""
    if page.locator("[data-chart]").count():
        expect(page.locator("[data-chart] canvas").first).to_be_visible()
    acts.whole(page)


def looked_through(page: Page) -> None:
    page.locator("#import-content").fill(LINES)
    page.locator("form.form button[type=submit]").click()
    expect(page.locator(".quality-table")).to_be_visible()


def found(page: Page) -> None:
    page.locator("#id_text").fill("How long are raw measurements kept?")
    page.locator("[data-look]").click()
    expect(page.locator(".quality-found")).to_be_visible()
    acts.whole(page)


def refused(page: Page) -> None:
    page.locator("#id_text").fill("How long are raw measurements kept?")
    page.locator("#quote-1").fill("Raw measurements are kept for ever")
    page.locator("form.form button.primary").click()
    expect(page.locator("[role=alert]")).to_be_visible()
    acts.whole(page)


def kinds(page: Page) -> None:
    page.locator("[data-open=new-source]").click()
    expect(page.locator("#new-source")).to_be_visible()


def wrong_bucket(page: Page) -> None:
    page.locator("#id_name").fill("Archive")
    page.locator("#id_address").fill("ftp://archive.heronbay.example")
    page.locator("#id_bucket").fill("a bucket")
    page.locator("form.form button.primary").click()
    expect(page.locator(".errorlist, [role=alert]").first).to_be_visible()
    acts.whole(page)


def deletion(page: Page) -> None:
    page.locator("[data-open=delete-source]").click()


def one_entry(page: Page) -> None:
    page.locator(".entry summary").first.click()
    acts.whole(page)


def filters(page: Page) -> None:
    if page.locator("[data-open-side]").is_visible():
        page.locator("[data-open-side]").click()
    page.locator("[data-history-filters]").click()
    expect(page.locator("#history-filters")).to_be_visible()


def approved_panel(page: Page) -> None:
    page.locator(".answer a.cite").first.click()
    expect(page.locator("#sources mark").first).to_be_visible()


QUALITY = [
    State("quality", of_collection("quality/"), tall),
    State("quality-empty", of_row("plain", "/knowledge/{}/quality/")),
    State("quality-reader", of_collection("quality/"), tall, is_reader=True),
    State("quality-questions", of_collection("quality/questions/"), acts.whole),
    State("quality-proposed", of_collection("quality/questions/?state=proposed")),
    State("quality-none-fits", of_collection("quality/questions/?q=zeppelin")),
    State("quality-questions-reader", of_collection("quality/questions/"), is_reader=True),
    State("quality-question", of_row("golden", "/knowledge/golden/{}/"), acts.whole),
    State("quality-question-new", of_collection("quality/questions/new/"), found),
    State("quality-question-refused", of_collection("quality/questions/new/"), refused),
    State("quality-import", of_collection("quality/questions/import/")),
    State("quality-import-seen", of_collection("quality/questions/import/"), looked_through),
    State("quality-run", run_page, acts.whole),
    State("quality-tuning", of_collection("quality/tuning/"), acts.whole),
    State("quality-answers", of_collection("quality/answers/")),
    State("quality-answers-empty", of_row("plain", "/knowledge/{}/quality/answers/")),
    State("quality-answers-reader", of_collection("quality/answers/"), is_reader=True),
    State("quality-answer", of_row("approved", "/knowledge/approved/{}/"), acts.whole),
    State("understanding", of_collection("understanding/"), one_entry),
    State("understanding-empty", of_row("plain", "/knowledge/{}/understanding/"), acts.whole),
    State("enrichment", of_collection("enrichment/")),
    State("enrichment-cost", of_collection("enrichment/?model=house-model"), acts.whole),
    State("sources", of_collection("sources/")),
    State("sources-empty", of_row("plain", "/knowledge/{}/sources/")),
    State("sources-kinds", of_collection("sources/"), kinds),
    State("source", of_row("source-web", "/knowledge/sources/{}/"), acts.whole),
    State("source-failed", of_row("source-git", "/knowledge/sources/{}/"), acts.whole),
    State("source-preview", of_row("source-s3", "/knowledge/sources/{}/"), acts.whole),
    State("source-api", of_row("source-api", "/knowledge/sources/{}/"), acts.whole),
    State("source-delete", of_row("source-web", "/knowledge/sources/{}/"), deletion),
    State("source-settings", of_row("source-web", "/knowledge/sources/{}/settings/"), acts.whole),
    *(
        State(f"source-new-{kind}", of_collection(f"sources/new/{kind}/"), acts.whole)
        for kind in ("web", "git", "feed", "folder", "api")
    ),
    State("source-new-s3", of_collection("sources/new/s3/"), wrong_bucket),
    State("settings-proof", "/settings/proof/", tall),
    State("settings-proof-everyone", "/settings/proof/everyone/", tall),
    State("settings-proof-empty", "/settings/proof/", is_reader=True),
    State("answer-approved", lambda scene: f"/c/{scene.conversations['approved']}", approved_panel),
    State("answer-proposed", lambda scene: f"/c/{scene.conversations['proposed']}"),
    State(
        "answer-proposed-panel",
        lambda scene: f"/c/{scene.conversations['proposed']}",
        approved_panel,
    ),
    State("why-of-a-link", lambda scene: f"/c/{scene.conversations['proposed']}", acts.why_page),
    State("search-filters", "/", filters),
    State("knowledge-search-empty", "/knowledge/search/", is_reader=True),
    State("knowledge-search-none", "/knowledge/search/?q=zeppelin%20captain", is_reader=True),
    State("knowledge-compare-empty", "/knowledge/search/compare/", acts.whole),
]
