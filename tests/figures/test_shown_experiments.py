import pytest

from segsg.figures.shown import compared_experiments, gallery_experiment, refined_experiment
from segsg.study.grid import grouped
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

MINI = resolve("mini")


def row(method, detector, seed=0, task="sgcls", **grounding):
    return {
        "model": "vctree",
        "detector": detector,
        "method": method,
        "task": task,
        "seed": seed,
        "grounding": grounding,
    }


def study(**rows):
    detectors = {
        "own": {"backbone": "resnext-mini-fpn", "joint": False, "seed": 0},
        "joint": {"backbone": "resnext-mini-fpn", "joint": True, "seed": 0},
        "disjoint": {"backbone": "resnext-mini-fpn", "joint": True, "seed": 0, "disjoint": True},
        "other": {"backbone": "vgg-mini", "joint": False, "seed": 0},
    }
    return read_section(Params, MINI | {"detectors": detectors, "groups": grouped(rows)}, "test")


def test_what_is_compared_differs_in_nothing_but_grounding():
    rows = {
        "seed": row("baseline", "own", seed=1), "vgg": row("baseline", "other"), "joint": row("baseline", "joint"),
        "changed": row("seg-grounded", "joint", edges="none"), "seg": row("seg-grounded", "joint"),
        "base": row("baseline", "own"),
    }  # fmt: skip
    assert compared_experiments(study(**rows)) == ("base", "seg")
    assert gallery_experiment(study(**rows)) == "seg"


def test_what_is_shown_is_of_sgcls_if_there_is_any_of_the_first_seed_and_the_last_of_the_grid():
    rows = {task: row("seg-grounded", "joint", task=task) for task in ("predcls", "sgdet")}
    assert gallery_experiment(study(**rows)) == "predcls"
    for seed in (0, 1):
        rows |= {f"{name}{seed}": row("seg-grounded", "joint", seed) for name in "ab"}
    assert gallery_experiment(study(**rows)) == "b0"
    compared = {"base": row("baseline", "own", 1), "easier": row("baseline", "own", task="predcls")}
    assert compared_experiments(study(**rows, **compared)) == ("base", "b1")


def test_what_a_disjoint_detector_sees_is_not_shown():
    shown = study(a=row("seg-grounded", "joint"), b=row("seg-grounded", "disjoint"))
    assert gallery_experiment(shown) == "a"


def test_a_study_without_such_a_pair_is_an_error():
    with pytest.raises(ValueError, match="no model both with and without grounding"):
        compared_experiments(study(seg=row("seg-grounded", "joint"), vgg=row("baseline", "other")))


def test_the_refined_experiment_is_the_first_that_refines():
    rows = {"seg": row("seg-grounded", "joint"), "final": row("seg-grounded", "joint", refinement="inference")}
    assert refined_experiment(study(**rows)) == "final"
    assert refined_experiment(study(seg=rows["seg"])) is None
