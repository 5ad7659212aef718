"""A service of somebody's own, small enough to start in no time: no framework, and no library."""

import sys
from pathlib import Path

MAIN = """
import json, sys, threading, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

print("it", "begins", flush=True)
if "broken" in sys.argv:
    raise SystemExit("no database")


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.seen.append([self.path, body, self.headers["Authorization"], self.headers["x-blockpoint-id"]])
        self.answer(202 if "busy" not in sys.argv else 503, {"job": len(self.seen), "no": None})
        if back := json.loads(body).get("back"):
            state = b'{"state": "failed"}' if "failing" in sys.argv else b""
            self.close_connection = True
            urllib.request.urlopen(urllib.request.Request(back, state, method="POST")).close()

    def do_GET(self):
        if self.path == "/seen":
            self.answer(200, self.seen)
        elif self.path.startswith("/jobs/"):
            self.answer(200, {"state": "failed" if "failing" in sys.argv else "done"})
        else:
            self.answer(200 if self.path == "/health" else 404, {})

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Orders).serve_forever()
"""

TOML = """
[service]
command = ["{python}", "orders.py", "{{port}}"{more}]
start_within = 2
headers = {{ Authorization = "Bearer ${{ORDERS_TOKEN}}" }}

[submit]
path = "/orders/{{index}}"
body = '{{"id": "{{id}}"}}'
expect = 202

[[bystander]]
path = "/health"
"""

BACK = {
    '"id": "{id}"': '"id": "{id}", "back": "{webhook}/{id}"',
    "[submit]": "[completions]\nsource = 'webhook'\nfield = 'state'\nfailed = 'failed'\n[submit]",
}
"""replaced in the file, so that the service calls back"""


def declare(folder: Path, more: str = "", **replaced: str) -> Path:
    """Write the service and its file, in which texts are replaced; returns the file.

    `more` is what the command says besides.
    """
    (folder / "orders.py").write_text(MAIN)
    text = TOML.format(python=sys.executable, more=f', "{more}"' if more else "")
    for old, new in replaced.items():
        text = text.replace(old, new)
    file = folder / "blockpoint.toml"
    file.write_text(text)
    return file
