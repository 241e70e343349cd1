"""The report in a browser: links are followed, tables sorted and switched, on a screen as narrow as a phone."""

import json
import re
import threading
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser import final_page, why_not
from made_report import make_report
from made_results import PAPER

from segsg.reporting.html import PAGES, write

CLICKS = Path(__file__).parents[1] / "helpers" / "clicks.js"
NOTE = """<head><script>
  window.noted = [];
  addEventListener("error", (event) => noted.push(event.message));
  addEventListener("unhandledrejection", (event) => noted.push(String(event.reason)));
  document.addEventListener("securitypolicyviolation", (event) => noted.push(`asks for ${event.blockedURI}`));
</script>"""
HARNESS = "<!doctype html><iframe width=390 height=800></iframe><pre></pre><script src=clicks.js></script>"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> dict:
    """What clicks.js wrote down. Pages note errors from their first line on; they are otherwise as written."""
    if reason := why_not():
        pytest.skip(reason)
    report = make_report(tmp_path_factory.mktemp("report"))
    write(report, PAPER)
    for page in (report / "html").glob("*.html"):
        page.write_text(page.read_text(encoding="utf-8").replace("<head>", NOTE, 1), encoding="utf-8")
    (report / "html" / "clicks.js").write_text(CLICKS.read_text(encoding="utf-8"), encoding="utf-8")
    (report / "html" / "harness.html").write_text(HARNESS, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(report / "html"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/harness.html"
        text = final_page(address, milliseconds=30_000)
        server.shutdown()
    return json.loads(unescape(re.search(r"<pre>(.*?)</pre>", text, flags=re.DOTALL)[1]))


def test_nothing_goes_wrong(outcome):
    """No script error, no request to elsewhere, and no name of the data that runs."""
    assert outcome["noted"] == []


def test_every_page_opens_from_the_row_of_pages(outcome):
    assert list(outcome["opened"]) == [f"{page}.html" for page in PAGES]
    assert len(set(outcome["opened"].values())) == len(PAGES)


def test_no_page_scrolls_sideways_on_a_phone(outcome):
    assert outcome["wide"] == []


def test_names_are_sorted_from_a_then_from_z_then_as_written(outcome):
    turns = outcome["names"]
    assert [turn["sort"] for turn in turns] == [None, "ascending", "descending", None]
    first = turns[0]["column"]
    assert [turn["column"] for turn in turns] == [first, sorted(first), sorted(first)[::-1], first]
    assert len(set(first)) > 1


def test_numbers_are_sorted_from_the_largest(outcome):
    turns = outcome["numbers"]
    assert [turn["sort"] for turn in turns] == [None, "descending", "ascending", None]
    assert [turn["column"] for turn in turns[:3]] == [["12.0", "14.0"], ["14.0", "12.0"], ["12.0", "14.0"]]


def test_the_switch_changes_numbers_heads_and_caption(outcome):
    written, free = outcome["written"], outcome["free"]
    assert written["heads"] == ["mR@20", "mR@50", "mR@100"] and written["numbers"] == ["12.0", "14.0"]
    assert free["heads"] == ["ng-mR@20", "ng-mR@50", "ng-mR@100"]
    assert "with graph constraint" in written["caption"] and "without graph constraint" in free["caption"]


def test_a_sorted_table_stays_sorted_by_the_new_numbers(outcome):
    assert outcome["free"]["numbers"] == ["50.0", "48.0"]


def test_what_was_not_measured_is_said(outcome):
    assert outcome["lacking"]["missing"] and outcome["lacking"]["numbers"] == outcome["free"]["numbers"]
    assert not outcome["constrained"]["missing"] and outcome["constrained"]["heads"] == ["R@20", "R@50", "R@100"]
