"""Agents that call agents in a real chat: a helper's steps inside of the call, a conversation that
is handed over and comes back, and the builder in which that is said."""

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.chat.test_agent_builder import LATER, make, saved, tried, violations
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script, calling

AGENTS = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
common = dict(owner=owner, model_name="scripted", max_passages=0)
expert, _ = Agent.objects.update_or_create(slug="rain-expert", defaults=common | dict(
    name="Rain expert", emoji="☔", description="Knows about rain.",
    tools=["calculate"],
))
Agent.objects.update_or_create(slug="lead", defaults=common | dict(name="Lead", helpers=[
    {"agent": str(expert.pk), "way": way, "when": "about rain"} for way in ("ask", "hand_over")
]))
"""


def test_a_helpers_steps_stand_inside_of_the_call_also_after_a_reload(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(AGENTS)
    page = visit("/")
    model.queue(
        calling(("ask_rain-expert", {"question": "How much rain in a week?"}), text="I ask."),
        calling(("calculate", {"expression": "7*3"})),
        Script(text="21 mm."),
        Script(text="It will be **21 mm**."),
    )
    ask(page, "How much will it rain?", "Lead")
    answer = answered(page)
    for _ in range(2):  # live, and as it is stored
        expect(answer.locator("[data-markdown]")).to_contain_text("It will be 21 mm.")
        row = answer.locator("[data-steps] > [data-kind=tool]")
        expect(row).to_have_count(1)
        expect(row.locator("> summary")).to_contain_text("Ask Rain expert")
        expect(row.locator("> summary")).to_contain_text("tokens")
        row.locator("> summary").click()
        inner = row.locator(".below > [data-kind=tool]")
        expect(inner.locator("summary")).to_contain_text("Called Calculate · “7*3”")
        inner.locator("summary").click()
        expect(inner).to_contain_text("7*3 = 21")
        expect(row.locator("> .body > .result")).to_contain_text("21 mm.")
        assert accessibility_violations(page) == []
        page.reload()
        answer = answered(page)


def test_a_conversation_is_handed_over_goes_on_there_and_comes_back(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(AGENTS)
    page = visit("/")
    handed = calling(("hand_over_to_rain-expert", {"reason": "It is about rain."}), text="Wait.")
    model.queue(handed, Script(text="It rains."), Script(text="Still."), Script(text="Lead here."))
    ask(page, "Does it rain?", "Lead")
    answer = answered(page)
    expect(answer.locator("[data-markdown]")).to_contain_text("It rains.")
    row = answer.locator(".handed")
    expect(row).to_contain_text("Handed over to Rain expert")
    expect(row).to_contain_text("It is about rain.")
    expect(row.locator(".face")).to_have_text("☔")
    expect(page.locator("#agent-picker")).to_contain_text("Rain expert")
    assert accessibility_violations(page) == []
    page.reload()
    expect(page.locator("#agent-picker")).to_contain_text("Rain expert")
    ask(page, "And now?")
    expect(page.locator(".answer [data-markdown]").last).to_contain_text("Still.")
    page.locator(".handed").get_by_role("button", name="Back to Lead").click()
    expect(page.locator("#agent-picker")).to_contain_text("Lead")
    page.reload()
    expect(page.locator("#agent-picker")).to_contain_text("Lead")
    ask(page, "Who are you?")
    expect(page.locator(".answer [data-markdown]").last).to_contain_text("Lead here.")


def test_where_a_draft_is_tried_it_is_asked_again_after_it_handed_over(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(AGENTS)
    page = visit("/agents/")
    page.get_by_role("link", name="Change Lead").click()
    page.wait_for_selector("#builder[data-ready]")
    frame = tried(page)
    model.queue(
        calling(("hand_over_to_rain-expert", {"reason": "It is about rain."})),
        Script(text="It rains."),
        Script(text="Lead here."),
    )
    for question, said in (("Does it rain?", "It rains."), ("Who are you?", "Lead here.")):
        frame.locator("#message").fill(question)
        frame.get_by_role("button", name="Send").click()
        expect(frame.locator(".answer [data-markdown]").last).to_contain_text(said, timeout=LATER)
    row = frame.locator(".handed")
    expect(row).to_contain_text("Handed over to Rain expert")
    expect(row).to_contain_text("The draft answers what you ask next.")
    expect(row.get_by_role("button")).to_have_count(0)
    assert "Rain expert" not in str(model.chat_requests[-1]["messages"][0])


def test_who_may_be_called_is_said_in_the_builder(visit: Visit, product: Product) -> None:
    product.run(AGENTS)
    page = visit("/agents/")
    make(page, "Weather desk")
    section = page.locator("section[aria-labelledby=s-helpers]")
    section.get_by_label("Add an agent").select_option(label="Rain expert")
    row = section.get_by_role("group", name="Rain expert")
    expect(row.get_by_label("may be asked")).to_be_checked()
    expect(row.get_by_label("When Rain expert is called")).to_have_value("Knows about rain.")
    row.get_by_label("may take over").check()
    row.get_by_label("When Rain expert is called").fill("Anything wet.")
    page.evaluate("window.dispatchEvent(new Event('blur'))")  # what was typed last goes at once
    saved(page)
    assert violations(page) == []
    page.reload()
    page.wait_for_selector("#builder[data-ready]")
    expect(row.get_by_label("may take over")).to_be_checked()
    expect(row.get_by_label("When Rain expert is called")).to_have_value("Anything wet.")
    phone = visit(page.url.split("/", 3)[3].join(["/", ""]), **PHONE)
    phone.wait_for_selector("#builder[data-ready]")
    small = phone.locator("section[aria-labelledby=s-helpers]")
    small.scroll_into_view_if_needed()
    assert violations(phone) == []
    row.get_by_label("may be asked").uncheck()
    row.get_by_label("may take over").uncheck()
    expect(row).to_be_hidden()
