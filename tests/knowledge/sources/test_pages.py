"""What is kept of a page: all that it says, and nothing that stands around it."""

import pytest

from knowledge.sources.pages import read_page
from security.outbound.fetching import Fetched

WORDS = "<p>" + "Every employee has twenty-five days of leave. " * 20 + "</p>"


def kept(body: str) -> str:
    html = f"<html><head><title>T</title></head><body>{body}</body></html>"
    page = read_page(Fetched("https://example.org/", 200, "text/html", "utf-8", html.encode(), {}))
    return page.body.decode()


@pytest.mark.parametrize(
    "around",
    [
        '<div id="cookie-banner"><p>We bake</p></div>',
        '<div class="main-menu"><a href="/x">We bake</a></div>',
        '<ul class="breadcrumbs"><li><a href="/y">We bake</a></li></ul>',
        '<section role="navigation"><a href="/z">We bake</a></section>',
        '<div class="site-footer small">We bake</div>',
        "<nav>We bake</nav>",
    ],
)
def test_what_is_called_a_menu_or_a_banner_is_left_out(around: str):
    page = kept(f"{around}<div><h1>Leave</h1>{WORDS}</div>{around}")
    assert "We bake" not in page
    assert page.count("twenty-five") == 20


@pytest.mark.parametrize(
    "part",
    [
        f'<div class="with-sidebar"><main>{WORDS}</main></div>',  # it holds the main part
        f'<div id="menu"><h1>Lunch</h1>{WORDS}</div>',  # a menu that one can eat
        f'<div class="share">{WORDS}</div>',  # all that the page says
        f'<div class="footnotes">{WORDS}</div><p>Short.</p>',
        f'{WORDS}<div class="canvas-navy">Blue.</div>',
        f'{WORDS}<div class="lunch-menu">Blue. On Friday there is fish.</div>',
        f'{WORDS}<div class="foot-note">Blue.</div>',
    ],
)
def test_a_name_takes_away_nothing_that_the_page_says(part: str):
    assert kept(part).count("twenty-five") == 20
    assert ("Blue." in part) <= ("Blue." in kept(part))
