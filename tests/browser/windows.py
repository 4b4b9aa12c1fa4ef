"""Browser contexts that one test after another works in: what was loaded once is not loaded again.

A context of its own costs a test three times the work of a page in one that knows our modules. A
test finds no cookie, nothing stored, no permission and no page of those before it.
"""

import json
from collections.abc import Iterable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession

STORED = "local_storage,indexeddb,cache_storage,service_workers"


class Windows:
    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._free: dict[str, list[Window]] = {}

    def open(self, origin: str, cookies: Iterable[Any], **device: Any) -> "Window":
        """One that nobody else works in now, with these cookies."""
        kind = json.dumps([origin, device], sort_keys=True)
        free = self._free.setdefault(kind, [])
        window = free.pop() if free else Window(self.browser, origin, free, device)
        window.context.add_cookies([*cookies])
        return window


class Window:
    def __init__(
        self, browser: Browser, origin: str, free: "list[Window]", device: dict[str, Any]
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=origin,
            service_workers="block",  # it has a test of its own; here it would only cost time
            **device,
        )
        self._origin = origin
        self._free = free
        self._keeper = self.context.new_page()
        self._storage: CDPSession = self.context.new_cdp_session(self._keeper)

    def give_back(self) -> None:
        """Closes what the test has open and forgets what it left."""
        for page in self.context.pages:
            if page is not self._keeper:
                page.close()
        self.context.unroute_all()
        self.context.set_offline(False)
        self.context.clear_permissions()
        self.context.clear_cookies()
        what = {"origin": self._origin, "storageTypes": STORED}
        self._storage.send("Storage.clearDataForOrigin", what)
        self._free.append(self)
