import pytest
from made_results import BASELINE, GROUNDED, results, row

from segsg.study.rows import lines, references, rows_of


def changed(seed=0, **grounding):
    return row("seg-grounded", seed=seed, grounding=grounding, mR_20=0.1)


def test_seeds_of_one_line_come_together_and_nothing_else():
    found = lines(results(row("baseline", seed=1), BASELINE, GROUNDED, row("baseline", task="predcls")))
    assert [[r["seed"] for r in rows] for rows in found.values()] == [[0, 1], [0], [0]]


def test_a_change_to_what_the_study_has_anyway_is_no_change():
    file = results(GROUNDED, changed(edges="gaussian"), changed(edges="none"))
    plain, same, other = rows_of(file).values()
    assert plain == same
    assert not other.is_plain


def test_only_baselines_on_their_own_detector_are_plain():
    file = results(BASELINE, row("baseline", "mini-fpn-joint"), row("frequency", model="frequency"))
    assert [one.is_plain for one in rows_of(file).values()] == [True, False, True]


def test_references_are_of_the_same_seed_and_the_same_task():
    rows = [
        BASELINE,
        GROUNDED,
        row("seg-grounded", seed=1),
        row("baseline", task="predcls"),
        changed(masks="rectangles"),
        row("baseline", "mini-fpn-joint"),
    ]
    assert references(rows_of(results(*rows))) == {
        "00": {},
        "01": {"baseline": "00", "joint": "05", "rectangles": "04"},
        "02": {},
        "03": {},
        "04": {"baseline": "00", "joint": "05"},
        "05": {"baseline": "00"},
    }


@pytest.mark.parametrize(
    "field, value",
    [("frame", "box"), ("edges", "none"), ("edges", "contact"), ("kernels", "joint"), ("sigmoid", True)],
)
def test_a_control_has_an_equal_network(field, value):
    file = results(changed(**{field: value}), changed(masks="oracle"), changed(masks="oracle", **{field: value}))
    one, *controls = rows_of(file).values()
    assert one.control("oracle", controls) == controls[1]
    assert one.control("oracle", controls[:1]) is None


def test_a_row_that_is_not_refined_is_no_control_of_one_that_is():
    refined, oracle = rows_of(results(changed(refinement="inference"), changed(masks="oracle"))).values()
    assert refined.control("oracle", [oracle]) is None


def test_rows_on_another_training_of_a_detector_are_another_seed():
    file = results(BASELINE, GROUNDED, row("baseline", "again"), row("seg-grounded", "again-joint"))
    for name, again in (("mini-fpn", "again"), ("mini-fpn-joint", "again-joint")):
        file["detectors"][again] = file["detectors"][name] | {"seed": 1}
    assert references(rows_of(file)) == {"00": {}, "01": {"baseline": "00"}, "02": {}, "03": {"baseline": "02"}}
    assert [[r["detector"] for r in rows] for rows in lines(file).values()] == [
        ["mini-fpn", "again"],
        ["mini-fpn-joint", "again-joint"],
    ]


def test_a_control_stands_on_the_same_detector():
    apart = row("seg-grounded", "mini-fpn-apart")
    assert references(rows_of(results(apart, changed(masks="rectangles")))) == {"00": {}, "01": {}}
    control = row("seg-grounded", "mini-fpn-apart", grounding={"masks": "rectangles"})
    assert references(rows_of(results(apart, control)))["00"] == {"rectangles": "01"}


def test_a_control_is_as_like_as_possible():
    rows = (changed(transfer="dot"), changed(masks="oracle"), changed(masks="oracle", transfer="dot"))
    file = results(*rows)
    one, *controls = rows_of(file).values()
    assert one.control("oracle", controls) == controls[1]
    assert one.control("oracle", controls[:1]) == controls[0]


def test_changes_of_a_number_can_be_told_apart():
    first, second = rows_of(results(changed(channels=4), changed(channels=8))).values()
    assert first != second and first.changes == (("channels", 4),)
    assert (first.grounding.channels, second.grounding.channels) == (4, 8)


def test_a_change_that_params_yaml_could_not_have_is_an_error():
    with pytest.raises(ValueError, match="unknown key 'edge'; did you mean 'edges'"):
        rows_of(results(changed(edge="none")))


def test_what_is_refined():
    file = results(GROUNDED, changed(refinement="inference"), BASELINE)
    assert [one.is_refined for one in rows_of(file).values()] == [False, True, False]


def test_pixel_refined_masks_are_no_control_and_have_one():
    pixels, rectangles = rows_of(results(changed(masks="refined"), changed(masks="rectangles"))).values()
    assert [one.follows_pixels for one in (pixels, rectangles)] == [True, False]
    assert [one.is_control for one in (pixels, rectangles)] == [False, True]
    assert pixels.is_candidate and not pixels.is_refined
    assert pixels.control("rectangles", [rectangles]) == rectangles


def test_what_may_be_chosen_as_the_best():
    others = [changed(masks="oracle"), changed(transfer="oracle"), row("seg-grounded", "mini-fpn-apart"), BASELINE]
    made = rows_of(results(GROUNDED, changed(edges="none"), *others)).values()
    assert [one.is_candidate for one in made] == [True, True, False, False, False, False]
    assert [one.sees_truth for one in made] == [False, False, True, False, False, False]
