"""Takes the picture of the README from a running Parley, in real Chromium.

PARLEY_PASSWORD=… .venv/bin/python docs/screenshot.py http://127.0.0.1:8000 EMAIL
"""

import argparse
import os
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURE = Path(__file__).with_name("screenshot.png")
QUESTION = "How much parental leave may each parent take?"


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")


def ask_and_open_the_source(page: Page) -> None:
    page.fill("textarea", QUESTION)
    page.keyboard.press("Enter")
    page.locator("a.cite").first.click()
    page.locator("mark").first.wait_for()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("email")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 800}, color_scheme="light")
        sign_in(page, options.address, options.email, os.environ["PARLEY_PASSWORD"])
        ask_and_open_the_source(page)
        page.mouse.move(680, 560)
        page.wait_for_timeout(500)  # transitions end
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
