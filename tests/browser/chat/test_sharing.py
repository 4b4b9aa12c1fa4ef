"""Sharing from the page, and what the owner, a team-mate, an outsider and nobody get to see."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.canary import Canary
from tests.browser.chat.conftest import DESKTOP, PHONE, Visit, answered, ask
from tests.browser.chat.test_hostile_surfaces import PATIENCE, TEXT
from tests.browser.conftest import Watched
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

PASSWORD = "correct horse battery staple"
PEOPLE = f"""
from accounts.models import Grant, Membership, User
from accounts.services import create_team, share
from knowledge.models import Collection
owner = User.objects.get(is_superuser=True)
people = {{name: User.objects.create_user(name + "@example.org", "{PASSWORD}", name=name.title())
          for name in ("mia", "otto")}}
shelf = Collection.objects.get(name="Parley handbook")
share(shelf, create_team(owner, "Mates"), "reader", by=owner)
Membership.objects.create(team=owner.teams.get(name="Mates"), user=people["mia"])
Grant.objects.filter(kind="collection", object_id=shelf.pk, team__is_everyone=True).delete()
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AUDIT = {"runOnly": RULES, "resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def people(product: Product) -> Iterator[None]:
    """Mia may read the samples by her team, Otto may read nothing."""
    product.run(PEOPLE)
    yield
    product.run(
        "from accounts.models import User, Team\n"
        "from accounts.services import everyone, share\n"
        "from knowledge.models import Collection\n"
        "shelf = Collection.objects.get(name='Parley handbook')\n"
        "share(shelf, everyone(), 'reader', by=shelf.owner)\n"
        "User.objects.filter(email__endswith='@example.org').delete()\n"
        "Team.objects.filter(name='Mates').delete()\n"
    )


@pytest.fixture
def visit_as(browser: Browser, product: Product, people: None) -> Iterator[Any]:
    """Opens a page as somebody else, or with an empty name as nobody."""
    opened: list[Watched] = []

    def open_page(name: str, path: str, status: int = 200, **device: Any) -> Page:
        context = browser.new_context(base_url=product.origin, **(device or DESKTOP))
        page = context.new_page()
        watched = Watched(page)
        watched.listen(product.origin)
        watched.expected = ["404"] if status == 404 else []
        opened.append(watched)
        if name:
            page.goto(f"/accounts/login/?next={path}")
            page.locator("input[name=login]").fill(f"{name}@example.org")
            page.locator("input[name=password]").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
        else:
            page.goto(path)
        return page

    yield open_page
    for watched in opened:
        watched.page.context.close()
        watched.check()


def make_link(page: Page) -> str:
    """The path of a new link to the conversation on the page."""
    page.get_by_role("button", name="Share the conversation").click()
    dialog = page.get_by_role("dialog", name="Share the conversation")
    dialog.get_by_role("button", name=re.compile("link$")).click()
    address = dialog.get_by_label("Address of the new link").input_value()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    return str(re.sub(r"^https?://[^/]+", "", address))


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=AUDIT).response["violations"]
    said = [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        said.append("wider than the window")
    return said


def test_a_link_shows_to_each_what_each_may_see(visit: Visit, visit_as: Any) -> None:
    page = visit()
    ask(page, "How much parental leave may each parent take?", "Quoting")
    answered(page)
    link = make_link(page)
    ask(page, "The coffee machine shows E3. What should I do?", "Quoting")
    answered(page)

    mate = visit_as("mia", link)
    answer = answered(mate)
    expect(answer).to_contain_text("20 weeks")
    expect(mate.locator(".user")).to_have_count(1)
    expect(mate.locator("#side")).to_have_count(0)
    expect(mate.locator("#composer")).to_have_count(0)
    expect(mate.get_by_role("button", name="Answer again")).to_be_hidden()
    answer.locator("a.cite").first.click()
    expect(mate.locator("#sources mark").first).to_contain_text("20 weeks")
    assert not violations(mate)
    mate.keyboard.press("Escape")
    expect(mate.locator("#sources")).to_be_hidden()

    outsider = visit_as("otto", link, **PHONE)
    expect(answered(outsider)).to_contain_text("20 weeks")
    expect(outsider.locator("a.cite")).to_have_count(0)
    expect(outsider.get_by_text("Sources that you may not see are left out")).to_be_visible()
    assert "leave-policy" not in outsider.content()
    assert not violations(outsider)
    outsider.get_by_role("button", name="Continue in my own conversation").tap()
    expect(outsider).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))
    expect(answered(outsider)).to_contain_text("20 weeks")
    expect(outsider.locator("#composer")).to_be_visible()

    nobody = visit_as("", link)
    expect(nobody).to_have_url(re.compile(r"/accounts/login/\?next=/s/"))

    page.goto("/settings/links/")
    row = page.locator("#links .line").first
    expect(row).to_contain_text("How much parental leave")
    row.get_by_role("button", name=re.compile("Revoke")).click()
    expect(page.locator("#links .line")).to_have_count(0)
    for name in ("mia", "otto"):
        gone = visit_as(name, link, status=404)
        expect(gone.get_by_role("heading", name="Nothing is shared here")).to_be_visible()
    assert not violations(gone)


def test_updated_it_shows_what_came_later_and_expired_nothing(
    visit: Visit, visit_as: Any, model: ModelServer, product: Product
) -> None:
    model.queue(Script(text="First words."), Script(text="Later words."))
    page = visit()
    ask(page, "A first question?", "Scripted")
    answered(page)
    link = make_link(page)
    ask(page, "A second question?")
    expect(answered(page)).to_contain_text("Later words.")
    mate = visit_as("mia", link)
    expect(answered(mate)).to_contain_text("First words.")
    page.get_by_role("button", name="Share the conversation").click()
    dialog = page.get_by_role("dialog", name="Share the conversation")
    assert not violations(page)
    dialog.get_by_role("button", name="Update").click()
    expect(dialog.get_by_text("Updated")).to_be_visible()
    mate.reload()
    expect(answered(mate)).to_contain_text("Later words.")
    product.run(
        "from chat.models import SharedLink\nfrom django.utils import timezone\n"
        "SharedLink.objects.update(expires_at=timezone.now())"
    )
    gone = visit_as("mia", link, status=404)
    expect(gone.get_by_role("heading", name="Nothing is shared here")).to_be_visible()


def test_shared_with_a_person_and_taken_back(visit: Visit, visit_as: Any) -> None:
    page = visit()
    ask(page, "How much parental leave may each parent take?", "Quoting")
    answered(page)
    path = page.evaluate("location.pathname")
    row = page.locator(f'#history [data-conversation="{path.rpartition("/")[2]}"]')
    row.hover()
    row.locator("[data-conversation-menu]").click()
    page.locator("#conversation-menu [data-share]").click()
    dialog = page.get_by_role("dialog", name="Share the conversation")
    dialog.get_by_label("E-mail address").fill("nobody@example.org")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(dialog).to_contain_text("Nobody here has this address")
    dialog.get_by_label("E-mail address").fill("mia@example.org")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(dialog.get_by_label("What Mia may do")).to_have_value("reader")
    assert not violations(page)
    dialog.get_by_role("button", name="Close").click()
    expect(row.locator(".mark")).to_be_visible()
    mate = visit_as("mia", path, status=404)  # what her tab is told when it looks in the end
    expect(answered(mate)).to_contain_text("20 weeks")
    expect(mate.get_by_text("You can read this conversation, but not write in it.")).to_be_visible()
    expect(mate.locator("#history .mark")).to_have_count(1)
    page.get_by_role("button", name="Share the conversation").click()
    dialog.get_by_role("button", name="Remove Mia").click()
    expect(dialog.get_by_label("What Mia may do")).to_have_count(0)
    expect(mate.locator("#gone")).to_be_visible()
    gone = visit_as("mia", path, status=404)
    expect(gone.locator("#messages")).to_have_count(0)


def test_hostile_text_behind_a_link(
    visit: Visit, visit_as: Any, model: ModelServer, canary: Canary
) -> None:
    """s26 on this surface: nothing runs, nothing leaves."""
    model.queue(Script(text=TEXT))
    page = visit()
    ask(page, "<img src=x onerror=alert(1)>", "Scripted")
    expect(answered(page)).to_contain_text("attacker.example", timeout=PATIENCE)
    link = make_link(page)
    reader = visit_as("mia", link)
    expect(answered(reader)).to_contain_text("attacker.example", timeout=PATIENCE)
    expect(reader.locator(".user .bubble")).to_have_text("<img src=x onerror=alert(1)>")
    reader.wait_for_load_state("networkidle")
    assert reader.locator("#messages :is(object, embed, form, style, base)").count() == 0
    assert canary.heard == 0
