"""What connects an assistant is opened, read and copied, in both themes and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages.conftest import DESKTOP, PHONE, accessibility_violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
COPYING = {**DESKTOP, "permissions": ["clipboard-read", "clipboard-write"]}


@pytest.mark.parametrize("device", [COPYING, PHONE], ids=["desktop", "phone"])
def test_the_lines_for_a_program_are_copied(visit, alice, live_server, device):
    page = visit(alice, "/settings/tokens/", **device)
    card = page.locator("#mcp")
    expect(card.get_by_label("Address for MCP")).to_have_value(f"{live_server.url}/mcp")
    for summary in card.locator("summary").all():
        summary.click()
    lines = card.get_by_label("Claude Code")
    expect(lines).to_be_visible()
    assert lines.input_value().startswith("claude mcp add --transport http parley ")
    assert accessibility_violations(page) == []
    if device is COPYING:
        card.locator("details", has=page.get_by_label("Claude Code")).get_by_role(
            "button", name="Copy"
        ).click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == lines.input_value()
