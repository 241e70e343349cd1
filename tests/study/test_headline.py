"""The few numbers of a study that DVC shows."""

import copy
from pathlib import Path

import pandas as pd
import pytest

from segsg.files import read_json, read_yaml
from segsg.study import headline

STANDARD = read_yaml(Path("profiles/base.yaml"))["grounding"]
PLACE = "motifs-resnext-mini-fpn-predcls"


def level(value):
    return {"metrics": {"mR@50": {"value": value}}}


def row(method, *, joint, seed=0, grounding=None, **measured):
    detector = "d-joint" if joint else "d"
    one = {"model": "motifs", "detector": detector, "method": method, "task": "predcls", "seed": seed}
    return one | {"grounding": grounding or {}} | measured


@pytest.fixture
def results():
    detectors = {
        key: {"backbone": "resnext-mini-fpn", "joint": joint, "seed": 0, "disjoint": False}
        for key, joint in (("d", False), ("d-joint", True))
    }
    seen = {"edges": "contact", "masks": "refined"}
    gains = [{"mR@50": {"difference": each}} for each in (0.02, 0.04)]
    shares = [{"mR@50": {"value": 0.3}}, {"mR@50": {"value": None}}]
    rows = {
        "base": row("baseline", joint=False, **level(0.5)),
        "base-s1": row("baseline", joint=False, seed=1, **level(0.6)),
        "joint": row("baseline", joint=True, **level(0.7)),
        "seg": row("seg-grounded", joint=True, **level(0.65)),
    }
    for seed in (0, 1):
        measured = {"comparisons": {"rectangles": gains[seed]}, "share": shares[seed]} | level(0.7)
        rows[f"pixels-s{seed}"] = row("seg-grounded", joint=True, seed=seed, grounding=seen, **measured)
    return {"profile": "p", "grounding": copy.deepcopy(STANDARD), "detectors": detectors, "experiments": rows}


def test_a_place_has_levels_of_plain_rows_and_the_gain_of_masks_as_means_over_seeds(results):
    found = headline.places(results)
    assert found == {
        PLACE: {"mR@50, baseline": 55.0, "mR@50, seg-grounded": 65.0, "mR@50, masks - rectangles": 3.0}
    }  # a share that one seed lacks is no number of the line


def test_rows_without_numbers_make_no_place(results):
    results["experiments"] = {"joint": results["experiments"]["joint"]}
    assert headline.places(results) == {}


def test_curves_are_means_over_rows_of_running_means(results, tmp_path):
    for key, losses in (("base", [4, 2]), ("base-s1", [2, 2]), ("seg", [1, 1])):
        table = pd.DataFrame({"step": range(11), "loss": [losses[0]] * 10 + [losses[1]]})
        table.to_csv(tmp_path / f"{key}.csv", index=False)
    histories = {key: tmp_path / f"{key}.csv" for key in ("base", "base-s1", "seg")}
    found = headline.curves(results, histories)
    assert found.index.tolist() == [0, 10]
    first = (4 * 10 + 2) / 11
    assert found["predcls, baseline"].tolist() == pytest.approx([3, (first + 2) / 2], abs=1e-4)
    assert found["predcls, seg-grounded"].tolist() == [1, 1]


def test_files_are_what_dvc_reads(results, tmp_path):
    headline.write(results, {}, tmp_path)
    assert read_json(tmp_path / "places" / f"{PLACE}.json")["mR@50, baseline"] == 55.0
    table = pd.read_csv(tmp_path / "places.csv", index_col="place")
    assert table.loc[PLACE, "mR@50, seg-grounded"] == 65.0
    assert table["zsR@100, share of the gap"].isna().all()
    assert (tmp_path / "curves.csv").read_text().startswith("step")
