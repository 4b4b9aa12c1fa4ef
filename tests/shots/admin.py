"""The pages of the administration that are looked at."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.shots.scene import Scene, State


def page_of(model: str, name: str) -> Callable[[Scene], str]:
    return lambda scene: f"/admin/{model}/{scene.rows[name]}/change/"


def _try_question(page: Page) -> None:
    page.locator("#try-question").fill("Compare leases with locks: why would anybody want both?")
    page.locator(".try button").click()
    expect(page.locator("[data-trial] .shares")).to_be_visible()


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
    State("admin-jobs", "/admin/events/job/"),
    State("admin-audit", "/admin/security/auditentry/", full_page=True),
    State(
        "admin-delete",
        lambda scene: f"/admin/gateway/model/{scene.rows['model']}/delete/",
    ),
]
