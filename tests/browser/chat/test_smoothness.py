"""Nothing jumps: while an answer is written, and when a long conversation is opened or read up."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import Visit, answered, ask
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

SHIFT = 0.02  # a tenth is "good" by the Core Web Vitals
LINK = "a-name-of-more-than-a-line-" * 5  # until the link is closed and it is not to be seen
SECTION = """## Part {n}

Some **words** about `leases`, and a list:

1. one, which is long enough to need a second line when it stands in the column of an answer
2. two
   - inner

| a | b |
|--|--|
| {n} | 2 |

```python
print({n})
```

The wait is $\\frac{{1}}{{\\mu - \\lambda}}$ and, in [the whole of it](/files/{link}),

$$
W = \\frac{{C(n, {n})}}{{n \\mu - \\lambda}}
$$

> Quoted.

""".replace("{link}", LINK)
# Also what follows a key: typing does not excuse a jump of what is being read.
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    const moved = sources.map(({ node }) => node?.outerHTML?.slice(0, 80));
    if (value > 0.001) window.shifts.push({ value, moved });
  }
}).observe({ type: "layout-shift", buffered: true });
"""
LENGTH = 400
FURNISH = f"""
import json
from accounts.models import User
from chat.models import Conversation, Message
talk = Conversation.objects.create(owner=User.objects.get(is_superuser=True), title="Long read")
rows = []
for n in range({LENGTH}):
    text = {SECTION!r}.format(n=n) if n % 2 else f"Question {{n}}?"
    rows.append(Message(conversation=talk, parent=rows[-1] if rows else None, text=text,
                        role="assistant" if n % 2 else "user", model_name="scripted"))
Message.objects.bulk_create(rows)
Conversation.objects.filter(pk=talk.pk).update(leaf_id=rows[-1].pk)
print(json.dumps(str(talk.pk)))
"""


@pytest.fixture(scope="module")
def talk(product: Product) -> str:
    found: str = json.loads(product.run(FURNISH).splitlines()[-1])
    return found


def watched(visit: Visit, path: str) -> Page:
    """The page at `path`, where what moves without being asked to is remembered."""
    page = visit("/offline/en")
    page.add_init_script(WATCH)
    page.goto(path)
    return page


def check_nothing_moved(page: Page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    shifts = page.evaluate("window.shifts")
    assert sum(shift["value"] for shift in shifts) < SHIFT, shifts


def test_nothing_moves_while_an_answer_is_written(visit: Visit, model: ModelServer) -> None:
    page = watched(visit, "/?agent=scripted")
    text = "".join(SECTION.format(n=n) for n in range(12))
    model.queue(Script(text=text, token_size=12, delay=0.005))
    ask(page, "Everything, please.")
    answer = answered(page)
    expect(answer.get_by_role("heading", name="Part 11")).to_be_in_viewport()
    assert (
        answer.locator(".md > .far").count() > 0
    )  # those cost nothing while they are out of sight
    check_nothing_moved(page)
    answer.get_by_role("heading", name="Part 0").scroll_into_view_if_needed()
    expect(answer.get_by_role("heading", name="Part 0")).to_be_in_viewport()


def test_a_long_conversation_opens_at_its_end_and_is_read_up_without_a_stop(
    visit: Visit, talk: str
) -> None:
    page = watched(visit, f"/c/{talk}")
    expect(page.get_by_role("heading", name=f"Part {LENGTH - 1}")).to_be_in_viewport()
    expect(page.locator(".answer:not([data-drawn])")).to_have_count(0)
    check_nothing_moved(page)
    page.evaluate(
        """() => {
          const thread = document.getElementById("thread");
          const up = () => {
            thread.scrollTop = 0;
            if (!document.getElementById("earlier").hidden) requestAnimationFrame(up);
          };
          up();
        }"""
    )
    expect(page.get_by_text("Question 0?", exact=True)).to_be_in_viewport(timeout=60_000)
    assert page.locator("#messages > li").count() == LENGTH
