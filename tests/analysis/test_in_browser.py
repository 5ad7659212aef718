import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from analysis.report.build import make_report
from results.store import Campaign
from tests.analysis.synthetic import Truth

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH: the page was not opened in one"),
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "about:blank",
]
SEEN = """JSON.stringify({
  images: [...document.images].map(image => [image.alt.length > 20, image.complete, image.naturalWidth]),
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  requests: performance.getEntriesByType('resource')
    .map(entry => entry.name).filter(name => !name.startsWith('data:')),
})"""


class Tab:
    """One page of a browser, driven through its debugging protocol."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(address, timeout=120)
        self.events: list[dict[str, Any]] = []
        self.calls = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": params}))
        while (message := json.loads(self.socket.recv())).get("id") != self.calls:
            self.events.append(message)
        assert "error" not in message, message
        return dict(message["result"])

    def wait_for(self, event: str) -> None:
        while all(seen.get("method") != event for seen in self.events):
            self.events.append(json.loads(self.socket.recv()))


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    assert CHROMIUM is not None
    profile = tmp_path / "profile"
    with subprocess.Popen(
        [CHROMIUM, f"--user-data-dir={profile}", *FLAGS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as browser:
        try:
            port = profile / "DevToolsActivePort"
            deadline = time.monotonic() + 120
            while not (port.exists() and port.read_text().count("\n")):
                assert browser.poll() is None, "Chromium did not start"
                assert time.monotonic() < deadline, "Chromium did not open its debugging port"
                time.sleep(0.05)
            number, path = port.read_text().split()
            root = Tab(f"ws://127.0.0.1:{number}{path}")
            target = root.call("Target.createTarget", url="about:blank")["targetId"]
            page = Tab(f"ws://127.0.0.1:{number}/devtools/page/{target}")
            yield page
            page.socket.close()
            root.call("Browser.close")
            root.socket.close()
            browser.wait(120)
        finally:
            browser.kill()


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_the_page_opens_without_an_error_and_with_every_image(
    small: tuple[Campaign, dict[str, Truth]], tab: Tab, width: int, scheme: str
) -> None:
    page = small[0].folder / "report" / "index.html"
    if not page.exists():
        page = make_report(small[0].folder)
    tab.call("Page.enable")
    tab.call("Runtime.enable")
    tab.call("Log.enable")
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    tab.call("Page.navigate", url=page.as_uri())
    tab.wait_for("Page.loadEventFired")
    seen = json.loads(tab.call("Runtime.evaluate", expression=SEEN)["result"]["value"])
    assert len(seen["images"]) == 9
    assert all(named and complete and natural > 0 for named, complete, natural in seen["images"])
    assert not seen["wide"]
    assert seen["requests"] == []
    bad = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
    assert [event for event in tab.events if event.get("method") in bad] == []
