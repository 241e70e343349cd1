import typing

import pytest

from segsg.detection.backbones import BACKBONES
from segsg.study.grid import expand, grouped
from segsg.study.params import BackboneName

GRID = {
    "backbones": {"fpn": "resnext-mini-fpn", "vgg": "vgg-mini"},
    "models": ["motifs"],
    "detectors": ["fpn"],
    "tasks": ["predcls", "sgdet"],
    "methods": ["baseline", "seg-grounded"],
    "seeds": [0, 2],
}

ROW = {"model": "motifs", "detector": "fpn", "method": "baseline", "task": "predcls"}


def test_every_combination_is_a_row_named_after_it():
    _, experiments = expand(GRID, "mini")
    assert len(experiments) == 8
    assert experiments["mini-motifs-fpn-sgdet-seg-s2"] == {
        "model": "motifs", "detector": "mini-fpn-joint", "method": "seg-grounded", "task": "sgdet", "seed": 2
    }  # fmt: skip


def test_baselines_and_grounded_rows_have_different_detectors():
    detectors, experiments = expand(GRID, "mini")
    assert detectors == {
        "mini-fpn": {"backbone": "resnext-mini-fpn", "joint": False, "seed": 0},
        "mini-fpn-joint": {"backbone": "resnext-mini-fpn", "joint": True, "seed": 0},
    }
    assert experiments["mini-motifs-fpn-predcls-baseline"]["detector"] == "mini-fpn"


def test_rows_of_one_detector_task_and_seed_are_a_group():
    _, experiments = expand(GRID | {"frequency": True}, "mini")
    groups = grouped(experiments)
    assert list(groups["mini-fpn-predcls"]["rows"]) == [
        "mini-motifs-fpn-predcls-baseline",
        "mini-frequency-fpn-predcls",
    ]
    assert groups["mini-fpn-joint-sgdet-s2"] == {
        "detector": "mini-fpn-joint",
        "rows": {"mini-motifs-fpn-sgdet-seg-s2": experiments["mini-motifs-fpn-sgdet-seg-s2"]},
    }
    assert {key: row for group in groups.values() for key, row in group["rows"].items()} == experiments


def test_frequency_rows_and_named_rows_are_added():
    named = {"oracle": {"model": "motifs", "detector": "vgg-joint", "method": "seg-grounded", "task": "predcls"}}
    detectors, experiments = expand(GRID | {"frequency": True, "rows": named}, "mini")
    assert experiments["mini-frequency-fpn-predcls"]["method"] == "frequency"
    assert experiments["mini-oracle"] == named["oracle"] | {"detector": "mini-vgg-joint", "seed": 0}
    assert experiments["mini-oracle-s2"]["seed"] == 2
    assert detectors["mini-vgg-joint"]["backbone"] == "vgg-mini"


def test_a_named_row_with_a_seed_of_its_own_is_there_once():
    named = {"one": {"model": "imp", "detector": "fpn", "method": "baseline", "task": "sgcls", "seed": 7}}
    _, experiments = expand(GRID | {"rows": named}, "mini")
    assert [row for row in experiments.values() if row["model"] == "imp"] == [experiments["mini-one-s7"]]


def test_ablations_are_changes_of_grounding_in_one_place():
    place = {"model": "vctree", "detector": "vgg", "task": "sgcls", "changes": {"avg": {"edges": "average"}}}
    detectors, experiments = expand(GRID | {"ablations": [place]}, "mini")
    assert experiments["mini-vctree-vgg-sgcls-avg-s2"] == {
        "model": "vctree", "detector": "mini-vgg-joint", "method": "seg-grounded", "task": "sgcls", "seed": 2,
        "grounding": {"edges": "average"},
    }  # fmt: skip
    assert "mini-vctree-vgg-sgcls-avg" in experiments and "mini-vgg-joint" in detectors


def test_a_detector_without_shared_images_has_a_row_of_its_own():
    apart = {"model": "motifs", "detector": "fpn-joint-disjoint", "method": "seg-grounded", "task": "predcls"}
    detectors, experiments = expand(GRID | {"rows": {"apart": apart}}, "mini")
    assert detectors["mini-fpn-joint-disjoint"] == {
        "backbone": "resnext-mini-fpn", "joint": True, "disjoint": True, "seed": 0
    }  # fmt: skip
    assert detectors["mini-fpn-joint"] == {"backbone": "resnext-mini-fpn", "joint": True, "seed": 0}
    assert experiments["mini-apart"]["detector"] == "mini-fpn-joint-disjoint"


def test_only_a_joint_detector_can_do_without_mask_images():
    alone = {"model": "motifs", "detector": "fpn-disjoint", "method": "baseline", "task": "predcls"}
    with pytest.raises(ValueError, match=r"'fpn-disjoint' sees no mask image .* write fpn-joint-disjoint"):
        expand(GRID | {"rows": {"alone": alone}}, "mini")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["grounded"]}, "'grounded' is not one of"),
        ({"rows": {"a": ROW | {"detector": "fpm-joint-disjoint"}}}, "no backbone for detector 'fpm'"),
        ({"detectors": ["fpm"]}, "no backbone for detector 'fpm'; known: fpn, vgg"),
        ({"sedes": [1]}, "unknown key 'sedes'; did you mean 'seeds'"),
        ({"rows": {"a": {"model": "imp"}}}, "rows: a: missing detector, method, task"),
        ({"rows": None}, "rows: expected dict, got None"),
        ({"seeds": 3}, "seeds: expected list, got 3"),
        ({"tasks": ["predcls", "sgen"]}, "'sgen' is not one of predcls"),
        ({"ablations": [{"model": "imp"}]}, "missing changes, detector, task"),
        ({"more": [{"sedes": [1]}]}, "unknown key 'sedes'; did you mean 'seeds'"),
    ],
)
def test_a_wrong_name_is_an_error_that_lists_the_right_ones(change, message):
    with pytest.raises(ValueError, match=message):
        expand(GRID | change, "mini")


def test_a_grid_beside_another_takes_what_it_does_not_name_and_no_rows():
    rows = {"joint": {"model": "motifs", "detector": "fpn-joint", "method": "baseline", "task": "predcls"}}
    beside = {"tasks": ["sgdet"], "seeds": [7]}
    _, alone = expand(GRID | {"rows": rows}, "mini")
    _, experiments = expand(GRID | {"rows": rows, "more": [beside]}, "mini")
    added = experiments.keys() - alone.keys()
    assert alone.items() < experiments.items()
    assert {(experiments[key]["task"], experiments[key]["seed"]) for key in added} == {("sgdet", 7)}
    assert {experiments[key]["model"] for key in added} == set(GRID["models"])


def test_the_backbones_that_a_grid_may_name_are_those_that_there_are():
    assert typing.get_args(BackboneName) == tuple(BACKBONES)
    with pytest.raises(ValueError, match="backbones: fpn: 'resnet9000' is not one of vgg16, "):
        expand(GRID | {"backbones": {"fpn": "resnet9000"}}, "mini")
