"""Pages in a browser's frame as narrow as a phone, and a script that clicks through them and notes what happens."""

import base64
import hashlib
import json
import re
import threading
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from browser import final_page

SCRIPTS = Path(__file__).parent
SCRIPT = """
  window.noted = [];
  addEventListener("error", (event) => noted.push(event.message));
  addEventListener("unhandledrejection", (event) => noted.push(String(event.reason)));
  document.addEventListener("securitypolicyviolation", (event) => noted.push(`asks for ${event.blockedURI}`));
"""
DIGEST = f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
HARNESS = "<!doctype html><iframe width=390 height=800></iframe><pre></pre>"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


def clicked(folder: Path, script: str) -> dict:
    """What the script, a file beside this one, wrote down about the pages of `folder`.

    Pages note errors from their first line on; they are otherwise as written.
    """
    for path in folder.glob("*.html"):
        path.write_text(_noting(path.read_text(encoding="utf-8")), encoding="utf-8")
    scripts = "".join(f"<script>{(SCRIPTS / name).read_text('utf-8')}</script>" for name in ("clicking.js", script))
    (folder / "harness.html").write_text(HARNESS + scripts, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = final_page(f"http://127.0.0.1:{server.server_address[1]}/harness.html", milliseconds=30_000)
        server.shutdown()
    return json.loads(unescape(re.search(r"<pre>(.*?)</pre>", text, flags=re.DOTALL)[1]))


def _noting(page: str) -> str:
    """The page with a script that notes, and where its policy names its scripts, with that one's name."""
    page = page.replace("script-src 'sha256-", f"script-src {DIGEST} 'sha256-", 1)
    return page.replace("<head>", f"<head><script>{SCRIPT}</script>", 1)
