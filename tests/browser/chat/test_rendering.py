"""What stands in an answer and what a reader does with it: tables, code, diagrams, notes, words."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.chat.conftest import DESKTOP, Visit, answered, ask
from tests.support.model_server import ModelServer, Script

CELLS = " | ".join(f"column {n}" for n in range(14))
ANSWER = f"""## What it costs

Leave is paid in full[^law], see the table [1] and $a^2 + b^2$.

| Item | Amount | Note |
|:--|--:|:--|
| Travel, abroad | -12.50 | =HYPERLINK("https://elsewhere.example") |
| **Hotel** | 1,200 | a \\| b |

```python
print("{"a long line " * 20}")
```

```mermaid
graph LR
  A[Ask] --> B[Answer]
```

| {CELLS} |
|{"---|" * 14}
| {CELLS} |

- [x] told the team lead
- [ ] asked the people team

[^law]: The handbook, **section 4**.

That is all.
"""
COPYING = {**DESKTOP, "permissions": ["clipboard-read", "clipboard-write"]}


def copied(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def show_answer(visit: Visit, model: ModelServer, **device: object) -> Page:
    model.queue(Script(text=ANSWER, token_size=40))
    page = visit("/?agent=scripted", **device)
    ask(page, "What does it cost?")
    answered(page)
    expect(page.locator(".diagram img")).to_be_attached(timeout=40_000)
    return page


def test_code_wraps_everywhere_and_after_a_reload(visit: Visit, model: ModelServer) -> None:
    page = show_answer(visit, model, **COPYING)
    code = page.locator("pre[data-lang=python]")  # a diagram is code until it is drawn
    is_wider = "el => el.scrollWidth > el.clientWidth"
    assert code.evaluate(is_wider)
    wrap = page.get_by_role("button", name="Wrap long lines")
    wrap.click()
    expect(wrap).to_have_attribute("aria-pressed", "true")
    assert not code.evaluate(is_wider)
    page.get_by_role("button", name="Copy code").click()
    assert copied(page).startswith('print("a long line')
    page.reload()
    expect(page.get_by_role("button", name="Wrap long lines")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert not code.evaluate(is_wider)


def test_each_paragraph_has_the_direction_of_its_letters(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text="Left to right.\n\nمرحبا بالعالم\n\nAgain `code`."))
    page = visit()
    ask(page, "שלום\n" + "a longer line below it " * 4, "Scripted")
    middle = answered(page).locator(".md p").nth(1)
    assert gap_before(middle, 13) > 200
    assert gap_before(page.locator(".user .bubble"), 4) > 200


def gap_before(block: Locator, length: int) -> float:
    """Pixels between the left edge of a block and its first letters."""
    return block.evaluate(
        """(block, length) => {
          const letters = document.createRange();
          letters.setStart(block.firstChild, 0);
          letters.setEnd(block.firstChild, length);
          return letters.getBoundingClientRect().left - block.getBoundingClientRect().left;
        }""",
        length,
    )


def test_a_footnote_leads_down_and_back(visit: Visit, model: ModelServer) -> None:
    page = show_answer(visit, model)
    note = page.get_by_role("link", name="Footnote 1")
    note.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".footnotes li")).to_be_focused()
    expect(page.locator(".footnotes li")).to_contain_text("The handbook, section 4.")
    page.get_by_role("link", name="Back to the text").click()
    expect(note).to_be_focused()
    assert page.url.partition("#")[1] == ""


def test_steps_say_what_is_done_and_how_long_it_took(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text="Twenty weeks.", reasoning="Weighing it up. " * 30, delay=0.02))
    page = visit("/?agent=scripted")
    ask(page, "How much parental leave may each parent take?")
    expect(page.locator("[data-doing]")).to_have_text("Thinking…")
    expect(page.locator("#answer-status")).to_have_text("Answering")
    answer = answered(page)
    expect(page.locator("#answer-status")).to_contain_text("Answer ready")
    thought = answer.locator(".steps summary").nth(1)
    for _ in range(2):
        expect(answer.locator(".steps summary").first).to_contain_text("Searched")
        expect(thought).to_contain_text("Thought")
        expect(thought.locator("[data-measure]")).to_contain_text(" s")
        thought.click()
        expect(answer.locator(".steps p")).to_contain_text("Weighing it up. Weighing it up.")
        expect(answer.locator("[data-waiting]")).to_be_hidden()
        page.reload()
    expect(page.locator("#answer-status")).to_be_empty()
