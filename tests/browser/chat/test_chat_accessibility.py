"""axe over the chat page: empty and answered, light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import DESKTOP, PHONE, Visit, answered, ask
from tests.support.model_server import ModelServer, Script

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AUDIT = {"runOnly": RULES, "resultTypes": ["violations"]}
ANSWER = """## What counts

Leave is **20 weeks** [1], in at most three parts [1][2].

| Occasion | Days |
|:--|--:|
| Wedding | 2 |

```python
print("twenty weeks")
```

- [x] told the team lead
- [ ] asked the people team
"""


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=AUDIT).response["violations"]
    said = [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
        said.append("wider than the window")
    return said


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chat_is_accessible(visit: Visit, model: ModelServer, device: dict, scheme: str) -> None:
    model.queue(Script(text=ANSWER))
    page = visit("/", color_scheme=scheme, **device)
    assert not violations(page)
    ask(page, "How much parental leave may each parent take?", "Scripted")
    answer = answered(page)
    expect(answer.locator(".hljs-string")).to_be_visible()
    answer.locator("a.cite").first.click()
    expect(page.locator("#sources mark").first).to_be_visible()
    assert not violations(page)


def test_headings_walk_the_conversation(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text=ANSWER))
    page = visit()
    ask(page, "How much parental leave may each parent take?", "Scripted")
    answered(page)
    thread = page.get_by_role("region", name="Conversation", exact=True)
    assert thread.get_by_role("heading", level=2).all_inner_texts() == ["You", "Answer"]
    expect(thread.get_by_role("heading", level=3)).to_have_text("What counts")
