"""A headless Chromium, if there is one: it opens a page, lets its scripts run, and returns the page as it is then."""

import os
import shutil
import subprocess
import tempfile
from functools import cache

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
SECONDS = 300


@cache
def why_not() -> str:
    """Why no browser can be used here; empty if one can."""
    if not any(map(shutil.which, NAMES)):
        return f"no browser on this machine: none of {', '.join(NAMES)}"
    try:
        return "" if "<p>x" in final_page("data:text/html,<p>x") else "the browser of this machine does not start"
    except subprocess.TimeoutExpired:
        return "the browser of this machine does not answer"


def final_page(address: str, milliseconds: int = 0) -> str:
    """The page after so many milliseconds of its own time, as HTML; empty if the browser fails."""
    command = [next(filter(None, map(shutil.which, NAMES))), *OPTIONS]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium refuses to run as root with one.
    if milliseconds:
        command.append(f"--virtual-time-budget={milliseconds}")
    with tempfile.TemporaryDirectory(prefix="segsg-browser-", ignore_cleanup_errors=True) as profile:
        command += [f"--user-data-dir={profile}", "--dump-dom", address]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS).stdout
