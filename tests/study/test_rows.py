import json

import pytest
from made_results import BASELINE, GROUNDED, results, row

from segsg.study.rows import control_of, is_refined, references, seeds, system


def changed(seed=0, **grounding):
    return row("seg-grounded", seed=seed, grounding=grounding, mR_20=0.1)


def test_seeds_of_one_system_come_together_and_nothing_else():
    found = seeds(results(row("baseline", seed=1), BASELINE, GROUNDED, row("baseline", task="predcls")))
    assert [[r["seed"] for r in rows] for rows in found.values()] == [[0, 1], [0], [0]]


def test_a_change_to_what_the_study_has_anyway_is_no_change():
    file = results(GROUNDED, changed(edges="gaussian"), changed(edges="none"))
    plain, same, other = (system(file, r) for r in file["experiments"].values())
    assert plain == same
    assert not other.plain


def test_only_baselines_on_their_own_detector_are_plain():
    file = results(BASELINE, row("baseline", "mini-fpn-joint"), row("frequency", model="frequency"))
    assert [system(file, r).plain for r in file["experiments"].values()] == [True, False, True]


def test_references_are_of_the_same_seed_and_the_same_task():
    rows = [
        BASELINE,
        GROUNDED,
        row("seg-grounded", seed=1),
        row("baseline", task="predcls"),
        changed(masks="rectangles"),
        row("baseline", "mini-fpn-joint"),
    ]
    assert references(results(*rows)) == {
        "00": {},
        "01": {"baseline": "00", "joint": "05", "rectangles": "04"},
        "02": {},
        "03": {},
        "04": {"baseline": "00", "joint": "05"},
        "05": {"baseline": "00"},
    }


@pytest.mark.parametrize(
    "field, value",
    [("frame", "box"), ("edges", "none"), ("kernels", "joint"), ("sigmoid", True), ("refinement", "inference")],
)
def test_a_control_has_an_equal_network(field, value):
    file = results(changed(**{field: value}), changed(masks="oracle"), changed(masks="oracle", **{field: value}))
    one, *controls = (system(file, r) for r in file["experiments"].values())
    assert control_of(file, one, "oracle", controls) == controls[1]
    assert control_of(file, one, "oracle", controls[:1]) is None


def test_rows_on_another_training_of_a_detector_are_another_seed():
    file = results(BASELINE, GROUNDED, row("baseline", "again"), row("seg-grounded", "again-joint"))
    for name, again in (("mini-fpn", "again"), ("mini-fpn-joint", "again-joint")):
        file["detectors"][again] = file["detectors"][name] | {"seed": 1}
    assert references(file) == {"00": {}, "01": {"baseline": "00"}, "02": {}, "03": {"baseline": "02"}}
    assert [[r["detector"] for r in rows] for rows in seeds(file).values()] == [
        ["mini-fpn", "again"],
        ["mini-fpn-joint", "again-joint"],
    ]


def test_a_control_stands_on_the_same_detector():
    apart = row("seg-grounded", "mini-fpn-apart")
    assert references(results(apart, changed(masks="rectangles"))) == {"00": {}, "01": {}}
    control = row("seg-grounded", "mini-fpn-apart", grounding={"masks": "rectangles"})
    assert references(results(apart, control))["00"] == {"rectangles": "01"}


def test_a_control_is_as_like_as_possible():
    rows = (changed(transfer="dot"), changed(masks="oracle"), changed(masks="oracle", transfer="dot"))
    file = results(*rows)
    one, *controls = (system(file, r) for r in file["experiments"].values())
    assert control_of(file, one, "oracle", controls) == controls[1]
    assert control_of(file, one, "oracle", controls[:1]) == controls[0]


def test_changes_of_any_kind_can_be_told_apart():
    file = results(changed(steps=[1, 2]), changed(steps=[1, 3]))
    first, second = (system(file, r) for r in file["experiments"].values())
    assert first != second
    assert json.loads(dict(first.changes)["steps"]) == [1, 2]


def test_what_is_refined():
    file = results(GROUNDED, changed(refinement="inference"), BASELINE)
    assert [is_refined(file, system(file, r)) for r in file["experiments"].values()] == [False, True, False]
