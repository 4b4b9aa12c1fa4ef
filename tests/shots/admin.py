"""The pages of the administration that are looked at."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.shots.scene import Scene, State

PRICES = b"""model,prompt,completion,cached,currency
house-model,0.2,0.8,0.05,EUR
reasoner-70b,1.1,4.4,0.3,EUR
"""


def page_of(model: str, name: str) -> Callable[[Scene], str]:
    return lambda scene: f"/admin/{model}/{scene.rows[name]}/change/"


def _try_question(page: Page) -> None:
    page.locator("#try-question").fill("Compare leases with locks: why would anybody want both?")
    page.locator(".try button").click()
    expect(page.locator("[data-trial] .shares")).to_be_visible()


def _prices_seen(page: Page) -> None:
    file = {"name": "prices.csv", "mimeType": "text/csv", "buffer": PRICES}
    page.locator("input[type=file]").set_input_files(file)
    page.locator(".price-list [type=submit]").click()
    expect(page.locator("#changes-title")).to_be_visible()


def _choose_all(page: Page) -> None:
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").focus()


ADMIN = [
    State("admin", "/admin/", full_page=True),
    State("admin-people", "/admin/accounts/user/", _choose_all),
    State("admin-person", "/admin/accounts/user/add/", full_page=True),
    State("admin-teams", "/admin/accounts/team/"),
    State("admin-tokens", "/admin/accounts/apitoken/"),
    State("admin-collections", "/admin/knowledge/collection/"),
    State("admin-documents", "/admin/knowledge/document/", full_page=True),
    State("admin-stages", "/admin/knowledge/stage/"),
    State("admin-agent", page_of("agents/agent", "agent"), full_page=True),
    State("admin-conversations", "/admin/chat/conversation/"),
    State("admin-turns", "/admin/chat/turn/"),
    State("admin-turn", page_of("chat/turn", "turn"), full_page=True),
    State("admin-feedback", "/admin/chat/feedback/"),
    State("admin-endpoints", "/admin/gateway/endpoint/"),
    State("admin-endpoint", page_of("gateway/endpoint", "dead"), full_page=True),
    State("admin-endpoint-works", page_of("gateway/endpoint", "house"), full_page=True),
    State("admin-models", "/admin/gateway/model/"),
    State("admin-model", page_of("gateway/model", "model"), full_page=True),
    State("admin-deployments", "/admin/gateway/deployment/"),
    State("admin-deployment", page_of("gateway/deployment", "deployment"), full_page=True),
    State("admin-requests", "/admin/gateway/usage/", full_page=True),
    State("admin-requests-of-turn", lambda it: f"/admin/gateway/usage/?q={it.rows['turn']}"),
    State("admin-request", page_of("gateway/usage", "call"), full_page=True),
    State(
        "admin-complexity",
        page_of("gateway/routingalias", "alias"),
        _try_question,
        full_page=True,
    ),
    State("admin-choices", "/admin/gateway/routingchoice/"),
    State("admin-rule", page_of("gateway/routingrule", "rule")),
    State("admin-budgets", "/admin/accounts/budget/"),
    State("admin-budget-new", "/admin/accounts/budget/add/", full_page=True),
    State("admin-budget", page_of("accounts/budget", "budget"), full_page=True),
    State("admin-budget-money", page_of("accounts/budget", "money"), full_page=True),
    State("admin-prices", "/admin/gateway/deployment/prices/"),
    State("admin-prices-seen", "/admin/gateway/deployment/prices/", _prices_seen, full_page=True),
    State("admin-measurements", "/admin/agents/measurement/"),
    State("admin-measurement-new", "/admin/agents/measurement/add/"),
    State("admin-jobs", "/admin/events/job/"),
    State("admin-audit", "/admin/security/auditentry/", full_page=True),
    State(
        "admin-delete",
        lambda scene: f"/admin/gateway/model/{scene.rows['model']}/delete/",
    ),
]
