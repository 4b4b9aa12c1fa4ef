"""Answers of agents at work, as the page has them: one that waits for a yes, one that waits for an
account, and one that asked another agent and was handed over to it."""

from playwright.sync_api import Page, expect

from tests.support.model_server import ModelServer, Script, calling

WAITS = "What does the status page of our carrier say?"
SIGNS_IN = "Close ticket 4711, it is done."
SEARCHED = "Which of our measurements are kept longest, and who may delete them?"
TOGETHER = "Who covers for me in May, and who tells the team?"


def ask(page: Page, model: ModelServer) -> dict[str, str]:
    """The conversations, by what is seen in them."""
    model.queue(
        calling(
            ("fetch_page", {"url": "https://status.carrier.example/today?site=suzhou"}),
            text="I look it up.",
        )
    )
    found = {"waits": _ask(page, WAITS, ".approval")}
    model.queue(calling(("tickets__close", {"number": 4711}), text="I close it."))
    found["signs_in"] = _ask(page, SIGNS_IN, ".approval")
    model.queue(
        calling(("ask_people", {"question": "Who covers for somebody on leave?"}), text="I ask."),
        Script(text="The deputy that is named in the people portal covers."),
        calling(
            ("hand_over_to_people", {"reason": "The rest is about leave, which they decide."}),
            text="Your deputy covers.",
        ),
        Script(text="Your team lead tells the team, in the weekly note."),
    )
    found["together"] = _ask(page, TOGETHER, ".answer[data-status=complete] .handed")
    model.queue(
        calling(
            ("search_documents", {"query": "how long raw measurements are kept"}),
            ("search_documents", {"query": "deleting measurements"}),
            text="I look twice.",
        ),
        Script(text="Raw measurements are kept longest; the data steward deletes them."),
    )
    found["searched"] = _ask(page, SEARCHED, ".answer[data-status=complete]")
    return found


def _ask(page: Page, text: str, shown: str) -> str:
    page.goto("/?agent=operations")
    page.locator("#message").fill(text)
    page.locator("#message").press("Enter")
    expect(page.locator(shown)).to_be_visible(timeout=90_000)
    return page.url.rsplit("/", 1)[1]
