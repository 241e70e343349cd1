import json
import re

import numpy as np
import pytest
from made_results import PAPER, against, results, row

from segsg.reporting.album import Album
from segsg.reporting.figures import transfer_heatmap
from segsg.reporting.html import ALBUMS, CHARTS, PAGES, detector_lines, pixel_lines, render, write
from segsg.reporting.style import new_figure, save


@pytest.fixture
def report(tmp_path):
    """A report's inputs with a name in them that must not be taken for markup."""
    metrics = {f"mR_{k}": 0.1 for k in (20, 50, 100)}
    rows = [row(method, model="<script>alert(1)</script>", **metrics) for method in ("baseline", "seg-grounded")]
    rows[1]["comparisons"] = against(0.0, -0.01, 0.01)
    predicates = {"names": ["on <i>"], "training": [3], "group": ["head"], "R@50": [0.5]}
    (tmp_path / "results.json").write_text(json.dumps(results(*[r | {"predicates": predicates} for r in rows])))
    for chart in CHARTS:
        save(new_figure(1.0, 1.0), tmp_path / "tables" / f"{chart}.png")
    for folder in ALBUMS:
        Album(tmp_path / "figures" / folder).close()
    album = Album(tmp_path / "figures" / "gallery")
    album.add("transfer", "transfer.png", transfer_heatmap(np.ones((1, 1)), ("a",), ("b",)), "A & B", 'say "hi" <b>')
    album.close()
    return tmp_path


def pages(report) -> dict[str, str]:
    write(report, PAPER)
    return {path.stem: path.read_text(encoding="utf-8") for path in (report / "html").glob("*")}


def test_every_page_is_written_and_links_to_every_other(report):
    written = pages(report)
    assert written.keys() == PAGES.keys()
    for text in written.values():
        assert {f"{page}.html" for page in PAGES} <= set(re.findall(r'href="([^"]+)"', text))


def test_pages_ask_nothing_of_the_network(report):
    for text in pages(report).values():
        assert not re.search(r"(?:src|href)=.?(?:https?:|//)|url\(|@import|<script", text)


def test_what_is_filled_in_is_escaped(report):
    written = pages(report)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in written["table1"]
    assert "<b>A &amp; B</b>" in written["transfer"]
    assert "say &#34;hi&#34; &lt;b&gt;" in written["transfer"]


def test_pages_say_that_a_small_world_is_not_the_papers(report):
    assert all("not comparable" in text for text in pages(report).values())


def test_numbers_are_those_of_the_results(report):
    written = pages(report)
    assert "10.0 [9.0–11.0]" in written["table1"]
    assert re.search(r"boxes <b>25\.0</b>", written["index"])
    assert re.findall(r"masks <b>([^<]*)", written["index"]) == ["30.0"]


def test_pages_are_the_same_each_time(report):
    assert pages(report) == pages(report)


def test_a_fact_that_a_page_needs_is_never_silently_empty():
    with pytest.raises(Exception, match="undefined"):
        render("index", {"page": "index", "pages": PAGES})


def test_tables_without_a_row_are_one_sentence(report):
    written = pages(report)
    for page in ("table2", "table3", "table4"):
        assert "The study “mini” has no row for this table" in written[page]
        assert "<td" not in written[page]


def test_every_table_of_the_supplement_is_there(report):
    text = pages(report)["supplement"]
    assert "on &lt;i&gt;" in text
    assert text.count("<h2>") == 4


def test_what_is_within_noise_is_marked(report):
    assert "≈ +0.0 [−1.0, 1.0]" in pages(report)["table1"]


@pytest.mark.parametrize("folder", ALBUMS)
def test_a_report_without_figures_says_which_stage_is_missing(report, folder):
    (report / "figures" / folder / "figures.json").unlink()
    with pytest.raises(ValueError, match=rf"figures\.json: missing; the stage `{folder}`"):
        write(report, PAPER)


def test_only_the_plain_grounded_row_is_held_against_boxes_as_masks():
    beside = against(-0.01, -0.03, 0.01, "mR@50", "rectangles")
    plain, control = (row("seg-grounded", comparisons=beside, grounding=g) for g in ({}, {"masks": "rectangles"}))
    (line,) = pixel_lines(results(row("baseline"), plain, control))
    assert line["task"] == "SGCls" and [round(line[n], 6) for n in ("difference", "low", "high")] == [-1, -3, 1]


def test_a_detector_trained_apart_says_so(report):
    assert [line["disjoint"] for line in detector_lines(results())] == [False, False, True]
    write(report, PAPER)
    index = (report / "html" / "index.html").read_text()
    assert index.count("scene graph and mask set, without shared test photos</td>") == 1
    assert index.count("scene graph and mask set</td>") == 1
