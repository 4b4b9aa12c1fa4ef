"""The pages of agents, their tools and what these ask about; `tooling` makes what is in them."""

from playwright.sync_api import Page, expect

from tests.shots.acts import whole, why_page
from tests.shots.scene import State


def _chart(page: Page) -> None:
    expect(page.locator(".chart-card svg")).to_be_visible()
    page.locator(".chart-card").scroll_into_view_if_needed()


def _open_calls(page: Page) -> None:
    for summary in page.locator(".answer [data-kind=tool] summary").all()[:3]:
        summary.click()


def _card(page: Page) -> None:
    expect(page.locator(".answer .approval")).to_be_visible()
    page.locator(".answer .approval").scroll_into_view_if_needed()


def _searched(page: Page) -> None:
    """With what its tools searched for, behind what was found first."""
    why_page(page)
    whole(page)


def _open_inner(page: Page) -> None:
    page.locator(".answer [data-kind=tool] > summary").first.click()
    expect(page.locator(".answer .handed")).to_be_visible()


def _open_folds(page: Page) -> None:
    page.wait_for_selector("#builder[data-ready]")
    page.evaluate("document.querySelectorAll('#builder details').forEach((one) => one.open = true)")
    whole(page)


def _try_text(page: Page) -> None:
    page.locator("textarea").fill("The key is sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD.")
    page.locator("form.text button").click()
    expect(page.locator("#said-title")).to_be_visible()


TOOLING = [
    State("approvals", "/settings/approvals/", whole),
    State("approvals-empty", "/settings/approvals/", is_reader=True),
    State("connections", "/settings/connections/"),
    State("answer-tools", lambda scene: f"/c/{scene.rows['tools']}", _chart),
    State("answer-tools-open", lambda scene: f"/c/{scene.rows['tools']}", _open_calls),
    State("answer-waits", lambda scene: f"/c/{scene.conversations['waits']}", _card),
    State(
        "why-searched",
        lambda scene: f"/c/{scene.conversations['searched']}",
        _searched,
        full_page=True,
    ),
    State("answer-reconnect", lambda scene: f"/c/{scene.conversations['signs_in']}", _card),
    State("answer-together", lambda scene: f"/c/{scene.conversations['together']}", _open_inner),
    State("builder-open", lambda scene: f"/agents/{scene.rows['agent']}/", _open_folds),
    State("admin-guardrails", "/admin/agents/installedguardrail/"),
    State("admin-guardrails-try", "/admin/agents/installedguardrail/try/", _try_text),
    State(
        "admin-guardrail",
        lambda scene: f"/admin/agents/installedguardrail/{scene.rows['guardrail']}/change/",
        full_page=True,
    ),
    State("builder", lambda scene: f"/agents/{scene.rows['agent']}/", whole),
    State("builder-versions", lambda scene: f"/agents/{scene.rows['agent']}/versions/"),
    State("builder-access", lambda scene: f"/agents/{scene.rows['agent']}/access/"),
    State("admin-mcp-servers", "/admin/agents/mcpserver/"),
    State("admin-mcp-server-new", "/admin/agents/mcpserver/add/", full_page=True),
    State(
        "admin-mcp-server",
        lambda scene: f"/admin/agents/mcpserver/{scene.rows['server']}/change/",
        full_page=True,
    ),
    State("admin-rules", "/admin/agents/policyrule/"),
    State(
        "admin-rules-table",
        "/admin/agents/policyrule/table/?effect=sends&read=both",
        full_page=True,
    ),
    State("admin-tool-calls", "/admin/agents/toolexecution/"),
]
