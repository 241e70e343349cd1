import json
import math

import pytest

from segsg.files import to_json, write_metrics
from segsg.study.collect import collect
from segsg.study.grid import grouped
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

MINI = resolve("mini")
DETECTORS = {"mini-fpn": {"backbone": "resnext-mini-fpn", "joint": False, "seed": 0}}
EXPERIMENTS = {
    "mini-a": {"model": "motifs", "detector": "mini-fpn", "method": "baseline", "task": "predcls", "seed": 0}
}
PARAMS = read_section(Params, MINI | {"detectors": DETECTORS, "groups": grouped(EXPERIMENTS)}, "test")


def test_rows_and_what_was_measured_come_together(tmp_path):
    measured = {"images": 7, "metrics": {"mR@20": {"value": 0.5, "low": 0.4, "high": 0.6}}}
    write_metrics(tmp_path / "rows" / "mini-fpn-predcls" / "mini-a", measured)
    write_metrics(tmp_path / "rows" / "mini-fpn-predcls" / "mini-left-over", {"images": 1})
    write_metrics(tmp_path / "detection" / "mini-fpn", {"metrics": {"boxes": {"AP": 0.3}}})
    results = collect(PARAMS, tmp_path)
    assert results["profile"] == "mini"
    assert list(results["experiments"]) == ["mini-a"]
    assert results["experiments"]["mini-a"] | measured == results["experiments"]["mini-a"]
    assert results["experiments"]["mini-a"]["task"] == "predcls"
    assert results["detectors"]["mini-fpn"]["metrics"]["boxes"]["AP"] == 0.3


def test_what_choices_are_made_by_comes_along(tmp_path):
    validation = {"images": 3, "metrics": {"mR@20": {"value": 0.4, "low": 0.3, "high": 0.5}}}
    write_metrics(tmp_path / "rows" / "mini-fpn-predcls" / "mini-a", {"metrics": {}, "validation": validation})
    write_metrics(tmp_path / "detection" / "mini-fpn", {"metrics": {}})
    results = collect(PARAMS, tmp_path)
    assert results["experiments"]["mini-a"]["validation"] == validation
    assert results["detectors"]["mini-fpn"]["disjoint"] is False


def test_what_is_measured_once_for_all_rows_is_there_if_its_stage_ran(tmp_path):
    write_metrics(tmp_path / "rows" / "mini-fpn-predcls" / "mini-a", {"metrics": {}})
    write_metrics(tmp_path / "detection" / "mini-fpn", {"metrics": {}})
    assert "transfer_quality" not in collect(PARAMS, tmp_path)
    write_metrics(tmp_path / "transfer", {"transfer_quality": {"dot": {"cup": 0.5}}})
    assert collect(PARAMS, tmp_path)["transfer_quality"] == {"dot": {"cup": 0.5}}
    assert collect(PARAMS, tmp_path)["grounding"]["masks"] == "transferred"


def test_a_missing_stage_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"mini-a/metrics\.json: missing; `segsg repro`"):
        collect(PARAMS, tmp_path)


def test_what_could_not_be_measured_is_null():
    assert json.loads(to_json({"b": [math.nan, 1.5], "a": {"c": math.nan}})) == {"a": {"c": None}, "b": [None, 1.5]}
