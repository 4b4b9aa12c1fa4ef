"""Two thousand messages: one far up is jumped into, and asked from; paper gets them all."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.chat.conftest import Visit, answered, ask
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

LENGTH = 2000
FURNISH = f"""
import json
from accounts.models import User
from agents.models import Agent
from chat.models import Conversation, Message
owner = User.objects.get(is_superuser=True)
agent = Agent.objects.get(slug="scripted")
talk = Conversation.objects.create(owner=owner, title="Long talk", agent=agent)
rows = []
for n in range({LENGTH}):
    words = f"Answer {{n}} with **words**, a list:\\n\\n- one\\n- two"
    text = words if n % 2 else f"Question {{n}}?"
    parent = rows[-1] if rows else None
    rows.append(Message(conversation=talk, parent=parent, text=text,
                        role="assistant" if n % 2 else "user", model_name="scripted"))
Message.objects.bulk_create(rows, batch_size=500)
Conversation.objects.filter(pk=talk.pk).update(leaf_id=rows[-1].pk)
print(json.dumps({{"talk": str(talk.pk), "at": str(rows[1000].pk)}}))
"""


@pytest.fixture(scope="module")
def ids(product: Product) -> dict[str, str]:
    found: dict[str, str] = json.loads(product.run(FURNISH).splitlines()[-1])
    return found


def test_a_found_message_far_up_and_a_question_from_there(
    visit: Visit, model: ModelServer, ids: dict[str, str]
) -> None:
    page = visit(f"/c/{ids['talk']}?at={ids['at']}")
    found = page.locator(f'[data-message="{ids["at"]}"]')
    expect(found).to_be_in_viewport()
    expect(found).to_be_focused()
    expect(page.get_by_text("Answer 1999")).to_have_count(0)
    model.queue(Script(text="The end of it."))
    ask(page, "And now?")
    expect(answered(page)).to_contain_text("The end of it.")
    expect(page.locator(".user .bubble").last).to_be_in_viewport()
    expect(page.locator(".answer").nth(-2)).to_contain_text("Answer 1999")


@pytest.mark.chaos  # half a minute
def test_paper_gets_all_of_it(visit: Visit, ids: dict[str, str]) -> None:
    page = visit(f"/c/{ids['talk']}")
    expect(page.locator(".answer").last).to_be_visible()
    page.evaluate("() => { window.print = () => (document.body.dataset.printed = 'yes'); }")
    page.locator("#thread").focus()
    page.keyboard.press("Control+p")
    expect(page.locator("body[data-printed]")).to_be_attached(timeout=240_000)
    assert page.locator("#messages > li").count() >= LENGTH
    expect(page.locator(".answer:not([data-drawn])")).to_have_count(0)
