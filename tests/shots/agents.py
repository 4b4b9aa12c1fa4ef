"""The pages of agents, their tools and what these ask about; `tooling` makes what is in them."""

from playwright.sync_api import Page, expect

from tests.shots.acts import whole
from tests.shots.scene import State


def _chart(page: Page) -> None:
    expect(page.locator(".chart-card svg")).to_be_visible()
    page.locator(".chart-card").scroll_into_view_if_needed()


def _open_calls(page: Page) -> None:
    for summary in page.locator(".answer [data-kind=tool] summary").all()[:3]:
        summary.click()


TOOLING = [
    State("approvals", "/settings/approvals/", whole),
    State("approvals-empty", "/settings/approvals/", is_reader=True),
    State("connections", "/settings/connections/"),
    State("answer-tools", lambda scene: f"/c/{scene.rows['tools']}", _chart),
    State("answer-tools-open", lambda scene: f"/c/{scene.rows['tools']}", _open_calls),
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
