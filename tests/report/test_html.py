import json
import re
from html import unescape
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_report import EVIL, PASSPORT, make_report
from made_results import PAPER, results, row

from segsg.report.html import (
    ALBUMS,
    OTHERS,
    PAGES,
    STAGES,
    answer,
    detector_lines,
    flat,
    minutes,
    passport_facts,
    render,
    seeds,
    study_facts,
    write,
    yaml_text,
)

MEBIBYTE = 2**20
REPORTS = Path(__file__).parents[2] / "reports"


@pytest.fixture
def report(tmp_path):
    """A report's inputs with a name in them that must not be taken for markup."""
    return make_report(tmp_path)


def pages(report) -> dict[str, str]:
    write(report, PAPER)
    return {path.stem: path.read_text(encoding="utf-8") for path in (report / "html").glob("*.html")}


def words(text: str) -> str:
    """What a reader sees of a page."""
    text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_every_page_is_written_and_links_to_every_other(report):
    written = pages(report)
    assert written.keys() == PAGES.keys()
    for text in written.values():
        assert {f"{page}.html" for page in PAGES} <= set(re.findall(r'href="([^"]+)"', text))


def test_pages_ask_nothing_of_the_network(report):
    for text in pages(report).values():
        assert not re.search(r"(?:src|href)=.?(?:https?:|//)|url\(|@import|<script[^>]*src", text)
        assert re.findall(r"<link[^>]{30}", text) == ['<link rel="icon" href="data:image/s']
        assert "default-src 'none'; img-src data:;" in text


def test_pages_of_the_code_are_small(report):
    """Here without figures."""
    assert max(len(text.encode()) for text in pages(report).values()) < MEBIBYTE / 8


def test_pages_of_the_committed_reports_are_bounded():
    """A phone loads each at once."""
    sizes = {path.name: path.stat().st_size for path in REPORTS.glob("*/html/*.html")}
    assert sizes and max(sizes.values()) < 3 * MEBIBYTE


def test_what_is_filled_in_is_escaped(report):
    written = pages(report)
    assert not any("<script>window" in text for text in written.values())
    assert EVIL in words(written["supplement"]) and EVIL in words(written["passport"])
    assert "<b>A &amp; B</b>" in written["transfer"]
    assert "say &#34;hi&#34; &lt;b&gt;" in written["transfer"]


def test_pages_say_that_a_small_world_is_not_the_papers(report):
    assert all("not comparable" in text for text in pages(report).values())


def test_numbers_are_those_of_the_results(report):
    written = pages(report)
    assert "12.0 [11.0–13.0]" in words(written["table1"])
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
        assert "<td" not in written[page] and 'id="switch"' not in written[page]


def test_charts_are_in_the_page_with_words(report):
    written = pages(report)
    (chart,) = re.findall(r'<div class="panels">(<svg role="img".*?</svg>)\s*</div>', written["table1"], re.S)
    assert "Chart of “Table 1: mean recall”: SGCls" in ElementTree.fromstring(chart).attrib["aria-label"]
    assert "var(--faint)" in chart and "<svg" not in written["table3"]


def test_the_first_page_has_a_heading_a_number_and_a_chart_for_each_finding(report):
    index = pages(report)["index"]
    findings = re.findall(r'<section class="finding".*?</section>', index, re.S)
    assert len(findings) == len(re.findall('class="panels"', index)) == 1
    assert "Grounded models score no measurably higher +2.0 [−1.0, 5.0] points of mR@50" in words(findings[0])


def test_tables_link_to_their_files(report):
    assert {f"../tables/table1.{end}" for end in ("csv", "tex", "md")} <= set(
        re.findall(r'href="([^"]+)"', pages(report)["table1"])
    )


def test_headings_go_down_one_level_at_a_time_and_have_ids(report):
    for name, text in pages(report).items():
        levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
        assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels)), name
        ids = re.findall(r'<h[1-6][^>]* id="([^"]+)"', text)
        assert len(ids) == len(set(ids)) == len(levels), name


def test_every_table_of_the_supplement_is_there(report):
    text = pages(report)["supplement"]
    assert "&lt;script&gt;window" in text
    assert text.count("<h2 ") == 5


def test_what_is_within_noise_is_marked(report):
    assert "≈ +2.0 [−1.0, 5.0]" in pages(report)["table1"]


def test_every_page_can_be_heard(report):
    for name, text in pages(report).items():
        assert text.count("<h1") == 1 and text.count("<main") == 1, name
        assert 'href="#content"' in text
        assert not re.search(r"<img(?![^>]*alt=\"[^\"]+\")", text)
        assert not re.search(r"<th(?![^>]*scope=)[ >]", text)
        assert text.count('aria-current="page"') == 1


@pytest.mark.parametrize("folder", ALBUMS)
def test_a_report_without_figures_says_which_stage_is_missing(report, folder):
    (report / "figures" / folder / "figures.json").unlink()
    with pytest.raises(ValueError, match=rf"figures\.json: missing; the stage `{folder}`"):
        write(report, PAPER)


def test_a_passport_without_the_version_of_a_package_is_a_page(report):
    (report / "passport.json").write_text(json.dumps(PASSPORT | {"versions": {"python": "3.11.7"}}))
    assert "3.11.7" in words(pages(report)["passport"])


def test_a_report_without_passport_says_which_stage_is_missing(report):
    (report / "passport.json").unlink()
    with pytest.raises(ValueError, match=r"passport\.json: missing; the stage `passport`"):
        write(report, PAPER)


def test_a_detector_trained_apart_says_so(report):
    assert [line["disjoint"] for line in detector_lines(results())] == [False, False, True]
    write(report, PAPER)
    index = (report / "html" / "index.html").read_text()
    assert index.count("scene graph and mask set, without shared test photos</td>") == 1
    assert index.count("scene graph and mask set</td>") == 1


@pytest.mark.parametrize("profile", ["mini", "quick"])
def test_a_study_that_only_shows_how_everything_works_finds_nothing(profile):
    compared = {"baseline": {"mR@50": {"difference": 0.05, "low": 0.04, "high": 0.06, "p": 0.001}}}
    rows = [row("baseline", mR_50=0.2), row("seg-grounded", mR_50=0.25, comparisons=compared)]
    made = results(*rows, profile=profile)
    assert bool(answer(made)) == bool(study_facts(made)["slices"]) == (profile == "mini")
    assert len(study_facts(made)["detectors"]) > 0


def test_minutes_are_added_up_by_kind_of_stage():
    detectors, others = minutes(PASSPORT["stages"])
    assert (detectors["name"], detectors["runs"]) == (STAGES["detector"], 2)
    assert (detectors["minutes"], detectors["longest"]) == (2.0, 1.5)
    assert (others["name"], others["minutes"]) == (OTHERS, pytest.approx(0.1))


def test_seeds_are_listed_once():
    assert list(seeds(PASSPORT["parameters"]).values()) == [[0], [3], [0, 1]]


def test_settings_have_names_with_dots_and_values_as_in_yaml():
    assert flat({"a": {"b": 1}, "c": [1, 2], "d": {}, "e": True, "f": None}) == {
        "a.b": "1", "c": "[1, 2]", "e": "true", "f": "null"
    }  # fmt: skip
    assert flat("mini") == {"value": "mini"}


def test_rows_are_no_settings():
    facts = passport_facts(PASSPORT)
    assert facts["settings"].keys() == {"profile", "report", "seed", "data", "stage1"}
    assert facts["name"] == "mini-seeds"
    assert facts["rows"].keys() == {"detectors", "experiments"}


@pytest.mark.parametrize(("value", "written"), [("a", "a"), (1e-3, "0.001"), (False, "false"), ("ü", "ü")])
def test_values_are_written_plainly(value, written):
    assert yaml_text(value) == written
