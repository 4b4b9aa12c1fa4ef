"""axe on every page, light and dark, wide and narrow; and no error in any console."""

import base64

import pytest

from accounts import tokens
from accounts.models import Membership, Team, User
from accounts.services import create_team
from agents.models import Agent
from agents.services import ensure_builtin_agents
from events import jobs
from gateway.models import Deployment, Endpoint, Model
from knowledge import services
from knowledge.glossary.services import put_entry
from knowledge.models import Collection, Document, DocumentText, Source, SyncRun
from knowledge.quality import running
from knowledge.quality.approved import approve
from knowledge.quality.services import Expectation, add_question
from tests.browser.pages.conftest import DESKTOP, PHONE, accessibility_violations
from tests.knowledge.files import as_stream, make_picture

# Django's own: inline tables have a heading cell without text for the delete column, and the icon
# beside the search in a list of two boxes says its help where no name is allowed.
DJANGOS_OWN = ("empty-table-header", "aria-prohibited-attr")
PICTURED = (
    '<h1>Machine</h1><p>As it looks: <img alt="The machine" src="data:image/png;base64,'
    f'{base64.b64encode(make_picture(size=(300, 200))).decode()}"></p>'
)
ADMIN_PAGES = [
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/add/",
    "/admin/gateway/endpoint/add/",
    "/admin/knowledge/document/",
    "/admin/events/job/",
]


def _indexed(owner: User, collection: Collection, text: str, name: str) -> Document:
    document, _is_new = services.add_document(owner, collection, as_stream(text), name)
    jobs.run(str(document.job_id))
    return document


@pytest.fixture
def pages(transactional_db, admin, bob) -> list[str]:
    """Every page that has something on it, of a collection with a document in each state."""
    collection = services.create_collection(admin, "Handbook", "How we work.")
    made = [
        services.add_document(admin, collection, as_stream(f"# Title {n}\n\nText."), f"{n}.md")[0]
        for n in range(4)
    ]
    jobs.run(str(made[0].job_id))
    made[1].stages.filter(name="embed").update(status="running", done=3, total=8)
    for document, status in zip(made[1:], ["running", "failed", "queued"], strict=True):
        type(document).objects.filter(pk=document.pk).update(status=status)
    figures = _indexed(admin, collection, PICTURED, "pictured.html")
    old = _indexed(admin, collection, "# Old\n\nBefore layouts.", "old.md")
    DocumentText.objects.filter(document=old).update(layout=None)
    Membership.objects.create(team=create_team(admin, "Ours"), user=bob)
    tokens.issue(admin, "laptop")
    ensure_builtin_agents(admin)
    here = f"/knowledge/{collection.pk}/"
    put_entry(collection, ["annual leave", "特休"])
    return [
        "/knowledge/", here, f"{here}access/", f"{here}settings/",
        f"/knowledge/documents/{made[0].pk}/?start=2&end=9",
        f"/knowledge/documents/{made[2].pk}/", f"/knowledge/documents/{figures.pk}/",
        f"/knowledge/documents/{old.pk}/", f"{here}?deleted={made[3].pk}", f"{here}view-as/",
        "/knowledge/search/?q=text", "/knowledge/search/compare/?q=text", "/agents/",
        f"{here}understanding/", f"{here}sources/new/s3/", "/settings/proof/",
        "/settings/", "/settings/import/", "/settings/chat/", "/settings/memory/",
        "/settings/teams/",
        "/settings/sessions/", "/settings/data/", "/settings/data/leave", "/settings/tokens/",
        "/accounts/password/change/",
    ]  # fmt: skip


@pytest.fixture
def curated(pages, admin) -> list[str]:
    """Pages of those who look after a collection; axe reads them where their work is tested."""
    collection = Collection.objects.get(name="Handbook", owner=admin)
    document = Document.objects.get(collection=collection, file_name="old.md")
    expected = [Expectation(document.pk, "Before layouts.")]
    text = "What was there before layouts, and who drew the pages of the handbook in that time?"
    question = add_question(admin, collection, text, expected=expected)
    add_question(admin, collection, "Who proposed this?", expected=expected, is_proposed=True)
    run = running.carry_out(running.make_run(collection, "hand", admin))
    answer = approve(admin, collection, "What was before?", "Nothing [1].", sources=expected)
    source = Source.objects.create(
        collection=collection, kind="web", name="Website", added_by=admin,
        settings={"address": "https://www.example.org/a/rather/long/address/of/a/handbook/"},
    )  # fmt: skip
    SyncRun.objects.create(source=source, status="failed", failed=2, reason="It cannot be read.")
    here = f"/knowledge/{collection.pk}/"
    quality = f"{here}quality/"
    return [
        f"{here}enrichment/", f"{here}sources/", f"/knowledge/sources/{source.pk}/",
        *(f"{here}sources/new/{kind}/" for kind in ("web", "git", "feed", "api")),
        quality, f"{quality}questions/", f"{quality}questions/new/?q=layouts",
        f"{quality}questions/import/", f"{quality}tuning/", f"{quality}answers/",
        f"/knowledge/golden/{question.pk}/", f"/knowledge/approved/{answer.pk}/",
        f"{quality}runs/{run.pk}/",
    ]  # fmt: skip


@pytest.fixture
def administration(pages, admin) -> list[str]:
    """Lists, and forms with the rows that belong to them."""
    endpoint = Endpoint.objects.create(name="Local", base_url="http://127.0.0.1:9/v1")
    model = Model.objects.create(name="small")
    deployment = Deployment.objects.create(endpoint=endpoint, model=model, upstream_name="s")
    return [
        *ADMIN_PAGES,
        f"/admin/gateway/endpoint/{endpoint.pk}/change/",
        f"/admin/gateway/model/{model.pk}/change/",
        f"/admin/gateway/deployment/{deployment.pk}/change/",
        f"/admin/accounts/user/{admin.pk}/change/",
        f"/admin/accounts/team/{Team.objects.get(name='Ours').pk}/change/",
        f"/admin/agents/agent/{Agent.objects.get().pk}/change/",
        f"/admin/knowledge/collection/{Collection.objects.get(name='Handbook').pk}/change/",
    ]


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_are_accessible(visit, pages, administration, admin, device):
    admin.theme = "light"
    admin.save()
    page = visit(admin, pages[0], **device)
    found = {}
    for path in [*pages, *administration]:
        page.goto(path)
        found[path] = accessibility_violations(page, ignoring=DJANGOS_OWN)
    assert not [(path, what) for path, what in found.items() if what]


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_before_signing_in_are_accessible(visit, transactional_db, device):
    page = visit(None, "/accounts/login/", **device)
    found = {}
    for name in ("login", "signup", "password/reset", "password/reset/done", "inactive"):
        page.goto(f"/accounts/{name}/")
        found[name] = accessibility_violations(page)
    assert not {name: what for name, what in found.items() if what}


BADLY_PLACED = """() => {
    const scrolls = (e) => e && !e.matches(".page, main, body, html") &&
        (/auto|scroll/.test(getComputedStyle(e).overflowX)
        || scrolls(e.parentElement));
    return [...document.querySelectorAll("button, select, .btn, .input, summary")]
        .filter((e) => e.checkVisibility() && !e.closest(".languages"))
        .map((e) => [e, e.getBoundingClientRect()])
        .filter(([e, { height, right }]) =>
            height > 0 && (height < 43.5 || (right > innerWidth + 1 && !scrolls(e.parentElement))))
        .map(([e, { height, right }]) => [e.outerHTML.slice(0, 120), height, right]);
}"""


def test_touch_targets_are_large_enough_and_on_the_page(visit, pages, curated, admin):
    """44 px where fingers point, links inside text aside; nothing beyond the right edge."""
    page = visit(admin, pages[1], **PHONE)
    found = {}
    for path in [*pages, *curated]:
        page.goto(path)
        found[path] = page.evaluate(BADLY_PLACED)
    assert not {path: what for path, what in found.items() if what}
