"""Starts the product with believable content and takes its picture from every side.

    python -m tests.shots [--only NAME…] [--language en…] [--theme light…] [--device phone…]

The README's picture: `--only answer-sources --language en --theme light --device readme`.
The home is a temporary folder, the model a scripted one: nothing of yours is touched or shown.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product as every
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.product import REPOSITORY, Product
from tests.shots import sheet, working
from tests.shots.answers import ASKED, ASKED_OF, answer
from tests.shots.scene import PASSWORD, READER, Scene, State
from tests.shots.states import STATES
from tests.support.model_server import ModelServer, Script

LANGUAGES = {"en": "en-GB", "zh-Hans": "zh-CN", "zh-Hant": "zh-TW"}
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "readme": {"viewport": {"width": 1360, "height": 850}, "device_scale_factor": 2},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2, "has_touch": True, "is_mobile": True,
    },
}  # fmt: skip
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
INDEXING_SECONDS = 180
expect.set_options(timeout=60_000)


def main() -> int:
    wanted = _arguments()
    out = Path(wanted.out)
    states = [state for state in STATES if not wanted.only or state.name in wanted.only]
    variants = list(every(wanted.language, wanted.theme, wanted.device))
    failures: list[str] = []
    usage = {"prompt_tokens": 1904, "completion_tokens": 212, "total_tokens": 2116}
    model = ModelServer(default=Script(text=answer, token_size=24, delay=0.03, usage=usage))
    model.title = Script(text=answer)
    with model, Product(PARLEY_MODEL_BASE_URL=model.url, PARLEY_MODEL="house-model") as running:
        running.run("from tests.shots.content import make; make()")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            cookies, scene = _prepare(browser, running, model)
            readers = _sign_in(browser, running.origin, READER, PASSWORD).storage_state()
            for language, theme, device in variants:
                scene = replace(scene, language=language)
                folder = out / f"{language}-{theme}-{device}"
                folder.mkdir(parents=True, exist_ok=True)
                options = {"locale": LANGUAGES[language], "color_scheme": theme, **DEVICES[device]}
                taker = Taker(browser, running.origin, options, cookies, readers)
                for state in states:
                    if not state.only or state.only == device:
                        failures += taker.take(state, scene, folder / f"{state.name}.png")
                print(f"  {folder.name}", flush=True)
            browser.close()
    names = [state.name for state in states]
    index = sheet.write(out, names, ["-".join(variant) for variant in variants])
    print(f"\n  {index}")
    for failure in failures:
        print(f"  not taken: {failure}", file=sys.stderr)
    return 1 if failures else 0


class Taker:
    """Takes pictures in one language, theme and size; a state that cannot be reached is named."""

    def __init__(
        self, browser: Browser, origin: str, options: dict[str, Any], cookies: Any, readers: Any
    ) -> None:
        self._browser, self._cookies, self._readers = browser, cookies, readers
        self._options = {"base_url": origin, "reduced_motion": "reduce",
                         "service_workers": "block", **options}  # fmt: skip

    def take(self, state: State, scene: Scene, file: Path) -> Iterator[str]:
        context = self._context(state)
        page = context.new_page()
        page.set_default_timeout(60_000)
        try:
            page.goto(state.address(scene), wait_until="load")
            _settle(page)
            if state.act:
                state.act(page)
            _settle(page)
        except Exception as problem:  # noqa: BLE001 - the others are still worth looking at
            yield f"{file.parent.name}/{state.name}: {str(problem).splitlines()[0]}"
        page.screenshot(path=file, full_page=state.full_page, animations="disabled")
        if state.after:
            state.after(page)
        context.close()

    def _context(self, state: State) -> BrowserContext:
        cookies = self._readers if state.is_reader else self._cookies
        kept = {"storage_state": cookies} if state.is_signed_in else {}
        return self._browser.new_context(**self._options, **kept, **state.options)


def _settle(page: Page) -> None:
    """Fonts are there, answers drawn, nothing asked of the server any more."""
    page.evaluate("document.fonts.ready.then(() => true)")
    expect(page.locator(".answer:not([data-drawn])")).to_have_count(0)
    expect(page.locator(":is(.tex, .tex-block):not(:has(.katex))")).to_have_count(0)
    page.evaluate("new Promise((done) => requestIdleCallback(() => done(true), { timeout: 1000 }))")


def _prepare(
    browser: Browser, running: Product, model: ModelServer
) -> tuple[dict[str, Any], Scene]:
    """Signs in at the real form, waits for the index, and has the questions answered."""
    context = _sign_in(browser, running.origin, running.email, running.password)
    page = context.pages[0]
    _wait_for_index(page)
    running.run("from tests.shots import curating, tooling; curating.make(); tooling.make()")
    conversations = {name: _ask(page, text) for name, text in ASKED.items()}
    conversations |= working.ask(page, model)
    documents = page.request.get("/api/v1/documents?limit=50").json()["items"]
    shown = next(it for it in documents if it["title"].startswith("Leave policy"))
    cloud = next(it for it in page.request.get("/api/v1/collections").json()["items"]
                 if it["name"] == "Measurement cloud")  # fmt: skip
    link = _share(page, conversations["leave"])
    cookies: Any = context.storage_state()
    context.close()
    rows = running.run(
        "from tests.shots import curating, gateway, tooling; import json\n"
        "print(json.dumps(gateway.rows() | curating.rows() | tooling.rows()))"
    )
    pdf = next(it for it in documents if it["file_name"].startswith("Handbook"))
    found = json.loads(rows) | {"pdf": pdf["id"]}
    return cookies, Scene(conversations, cloud["id"], shown["id"], link, found)


def _sign_in(browser: Browser, origin: str, email: str, password: str) -> BrowserContext:
    context = browser.new_context(base_url=origin)
    page = context.new_page()
    page.goto("/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#welcome")).to_be_visible()
    return context


def _share(page: Page, conversation: str) -> str:
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    made = page.request.post(
        f"/api/v1/conversations/{conversation}/links",
        data={"days": 30},
        headers={"X-CSRFToken": token, "Referer": page.url},
    )
    return str(made.json()["url"])


def _wait_for_index(page: Page) -> None:
    deadline = time.monotonic() + INDEXING_SECONDS
    while time.monotonic() < deadline:
        items = page.request.get("/api/v1/documents?limit=100").json()["items"]
        if items and all(item["status"] in {"ready", "failed"} for item in items):
            return
        page.wait_for_timeout(500)
    raise RuntimeError("The documents were not indexed in time.")


def _ask(page: Page, text: str) -> str:
    """Asks on the page, as a person would; the id of the conversation once it is answered."""
    page.goto(f"/?agent={ASKED_OF.get(text, 'people')}")
    page.locator("#message").fill(text)
    page.locator("#message").press("Enter")
    expect(page.locator(".answer[data-status=complete] [data-actions]")).to_be_visible()
    return page.url.rsplit("/", 1)[1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--language", nargs="*", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--theme", nargs="*", choices=["light", "dark"], default=["light", "dark"])
    parser.add_argument("--device", nargs="*", default=["desktop", "phone"], choices=DEVICES)
    parser.add_argument("--out", default=str(REPOSITORY / "var" / "shots"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
