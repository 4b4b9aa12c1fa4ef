"""A question beyond the rate limit: the text is kept, and the page says when to come back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.chat.conftest import DESKTOP, Visit, answered, ask
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

FILL = """
import time
from accounts.models import User
from observability.doorbell import connection
from security.rate_limits import Action, _buckets, forget_everybody
from security.rates import Per
forget_everybody()
who = {Per.PERSON: str(User.objects.get(is_superuser=True).pk)}
for key, rate in _buckets(Action.TURNS, who).items():
    connection().set(key, int((time.time() + rate.seconds + 300) * 1000), ex=600)
"""
FORGET = "from security.rate_limits import forget_everybody; forget_everybody()"


@pytest.fixture
def _full(product: Product) -> Iterator[None]:
    """Five minutes lie before the administrator's next question."""
    product.run(FILL)
    yield
    product.run(FORGET)


@pytest.mark.usefixtures("_full")
@pytest.mark.parametrize(
    ("locale", "said"),
    [("en-GB", r"try again in \d+ s\."), ("zh-TW", r"一次提問太多；請在 \d+ 秒後再試。")],
)
def test_a_question_beyond_the_limit_is_kept(
    visit: Visit, product: Product, model: ModelServer, locale: str, said: str
) -> None:
    page = visit("/?agent=scripted", **DESKTOP, locale=locale)
    ask(page, "Will this arrive?")
    question = page.locator(".user")
    expect(question).to_contain_text(re.compile(said))
    expect(page.locator("#message")).to_have_value("Will this arrive?")
    page.reload()
    expect(page.locator("#message")).to_have_value("Will this arrive?")
    ask(page, "Will this arrive?")
    expect(question).to_contain_text(re.compile(said))
    product.run(FORGET)
    model.queue(Script(text="It did."))
    page.locator("#message").press("Enter")
    expect(answered(page)).to_contain_text("It did.")
    expect(question).to_have_count(1)
    expect(page.locator("#message")).to_have_value("")
