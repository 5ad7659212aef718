"""A page in headless Chromium, driven through its debugging protocol."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_a_browser = [
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

    def says(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=13, text="\r"
            )

    def arrow(self, key: str) -> None:
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key)

    def point_at(self, element: str) -> None:
        """Move the mouse to the middle of an element."""
        box = f"const box = {element}.getBoundingClientRect()"
        self.says(f"{element}.scrollIntoView({{block: 'center'}})")
        x, y = self.says(f"{{ {box}; [(box.left + box.right) / 2, (box.top + box.bottom) / 2] }}")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def open(self, address: str, width: int = 1200, scheme: str = "light") -> None:
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def complaints(self) -> list[dict[str, Any]]:
        bad = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
        return [event for event in self.events if event.get("method") in bad]

    def wait_for(self, event: str) -> None:
        while all(seen.get("method") != event for seen in self.events):
            self.events.append(json.loads(self.socket.recv()))


@contextmanager
def opened(profile: Path) -> Iterator[Tab]:
    """Start a browser for one tab."""
    assert CHROMIUM is not None
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
