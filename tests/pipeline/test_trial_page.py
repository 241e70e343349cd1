"""The page with which a trial ends."""

import json

import pytest

from segsg.files import ROOT
from segsg.pipeline.trial_page import PAGE, Load, Timed, step_seconds, timed, write_page
from segsg.study import profile
from segsg.study.params import Params, read_section

WIDGET = "\u20072/2\u2007[01:38&lt;00:00,\u200730.46s/it,\u2007loss\u20075.467]"


@pytest.fixture
def params(monkeypatch):
    monkeypatch.chdir(ROOT)
    return read_section(Params, profile.resolve("trial"), "trial")


def notebook(path, *texts):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [{"outputs": [{"text": list(texts[1:])}]}], "metadata": {"value": texts[0]}}))
    return path


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (WIDGET, [49]),
        ("key: 100%|####| 2/2 [00:07<00:00,  3.5s/it]", [3.5]),
        ("key: 100%|####| 2/2 [1:00:02<00:00,  3.5s/it]", [1801]),
        ("key:  50%|##  | 1/2 [00:07<00:07,  3.5s/it]", []),
        ("other: 100%|####| 3/3 [00:07<00:00,  3.5s/it]", []),
        ("key:   0%|    | 0/2 [00:00<?, ?it/s]", []),
    ],
)
def test_times_are_those_of_bars_that_ended(tmp_path, text, seconds):
    assert step_seconds(notebook(tmp_path / "n.ipynb", text, "loss 2/2"), 2) == seconds


def test_several_trainings_of_a_notebook_are_all_found(tmp_path):
    bars = [f"{key}: 100%|##| 2/2 [00:0{n}<00:00]" for key, n in (("a", 4), ("b", 6))]
    assert step_seconds(notebook(tmp_path / "n.ipynb", "", *bars), 2) == [2, 3]


def test_the_estimate_is_steps_times_time_photos_and_pixels():
    each = Timed("joint detector", 2.0, Load(2, 100, 2), Load(16, 300, 1000))
    assert each.days == pytest.approx(1000 * 2.0 * 8 * 9 / 86400) and each.duration == "1.7 days"
    assert Timed("models", 2.0, Load(1, 10, 2), Load(1, 10, 10**8)).duration == "6 years"


def test_trainings_without_a_notebook_have_no_time(tmp_path, params):
    paper = read_section(Params, profile.resolve("paper"), "paper")
    notebook(tmp_path / "20_detector-trial-fpn.part.ipynb", WIDGET)
    assert list(timed(tmp_path, params, paper)) == []
    notebook(tmp_path / "20_detector-trial-fpn-joint.ipynb", WIDGET)
    (each,) = timed(tmp_path, params, paper)
    assert (each.name, each.seconds, each.here, each.paper) == (
        "joint detector",
        49,
        Load(2, 320, 2),
        Load(16, 800, 270_000),
    )


@pytest.mark.parametrize(
    ("ran", "error", "title"),
    [
        (True, "", "Your files are readable"),
        (False, "", "A stage stopped"),
        (None, "", "Your files can be read, but not studied yet"),
        (None, "x.h5: key '<b>': is missing", "Your files cannot be read"),
    ],
)
def test_the_page_says_how_it_ended(tmp_path, params, ran, error, title):
    write_page(tmp_path, params, executed=tmp_path / "executed", ran=ran, error=error)
    page = (tmp_path / PAGE).read_text()
    assert f">{title}<" in page and "<b>" not in page
    assert ("look/index.html" in page) == (not error)
    assert "How long it takes" not in page and ("No time of a step" in page) == (ran is True)
