"""A headless Chromium, if there is one: pages are opened, clicked through by a script, and read as they are then."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from functools import cache, partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
AXE = "AXE_CORE"
"""environment variable with the path of axe.min.js"""
SECONDS = 300
SCRIPTS = Path(__file__).parent
SCRIPT = """
  window.noted = [];
  addEventListener("error", (event) => noted.push(event.message));
  addEventListener("unhandledrejection", (event) => noted.push(String(event.reason)));
  document.addEventListener("securitypolicyviolation", (event) => noted.push(`asks for ${event.blockedURI}`));
"""
HARNESS = "<!doctype html><iframe width=390 height=800></iframe><pre></pre>"


@cache
def why_not() -> str:
    """Why no browser can be used here; empty if one can."""
    if not any(map(shutil.which, NAMES)):
        return f"no browser on this machine: none of {', '.join(NAMES)}"
    try:
        return "" if "<p>x" in final_page("data:text/html,<p>x") else "the browser of this machine does not start"
    except subprocess.TimeoutExpired:
        return "the browser of this machine does not answer"


def why_no_axe() -> str:
    """Why no page can be looked at by axe-core here; empty if one can."""
    if os.environ.get(AXE) and Path(os.environ[AXE]).is_file():
        return why_not()
    return f"no axe-core: set {AXE} to its file axe.min.js (`npm pack axe-core`)"


def final_page(address: str, milliseconds: int = 0, options: tuple[str, ...] = ()) -> str:
    """The page after so many milliseconds of its own time, as HTML; empty if the browser fails."""
    command = [next(filter(None, map(shutil.which, NAMES))), *OPTIONS, *options]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium refuses to run as root with one.
    if milliseconds:
        command.append(f"--virtual-time-budget={milliseconds}")
    with tempfile.TemporaryDirectory(prefix="segsg-browser-", ignore_cleanup_errors=True) as profile:
        command += [f"--user-data-dir={profile}", "--dump-dom", address]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS).stdout


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


def clicked(folder: Path, script: str) -> dict:
    """What the script, a file beside this one, wrote down about the pages of `folder`.

    Pages note errors from their first line on; they are otherwise as written.
    """
    for path in folder.glob("*.html"):
        path.write_text(_noting(path.read_text(encoding="utf-8")), encoding="utf-8")
    return _run(folder, script)


def axe_violations(folder: Path, dark: bool) -> dict:
    """What axe-core finds wrong with each page in `folder`, wide and narrow: {"violations", "looked"}.

    Pages are those that the navigation of a report leads to, or an index of photos. Their policies are made to allow
    axe-core.
    """
    script = Path(os.environ[AXE]).read_text(encoding="utf-8")
    for path in folder.glob("*.html"):
        path.write_text(_allowing(path.read_text(encoding="utf-8"), script), encoding="utf-8")
    source = json.dumps(script).replace("</", "<\\/")
    options = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    return _run(folder, "axe_run.js", f"<script>const AXE = {source};</script>", options)


def _run(folder: Path, script: str, before: str = "", options: tuple[str, ...] = ()) -> dict:
    """What a script wrote down that drives the pages of `folder` in a frame."""
    scripts = "".join(f"<script>{(SCRIPTS / name).read_text('utf-8')}</script>" for name in ("clicking.js", script))
    (folder / "harness.html").write_text(HARNESS + before + scripts, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = final_page(f"http://127.0.0.1:{server.server_address[1]}/harness.html", 120_000, options)
        server.shutdown()
    return json.loads(unescape(re.search(r"<pre>(.*?)</pre>", text, flags=re.DOTALL)[1]))


def _noting(page: str) -> str:
    """The page with a script that notes."""
    return _allowing(page, SCRIPT).replace("<head>", f"<head><script>{SCRIPT}</script>", 1)


def _allowing(page: str, script: str) -> str:
    """The page, whose policy, if it names scripts, names one more script that may run."""
    name = f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
    return re.sub("script-src (?=('|&#39;)sha256-)", f"script-src {name} ", page, count=1)
