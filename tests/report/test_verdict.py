"""The three findings of the first page: headings and sentences follow from the numbers, whichever way they point."""

import pytest
from made_results import against, results, row

from segsg.report import panels
from segsg.report.cells import Difference
from segsg.report.verdict import answer, together, verdict

UP, NOISE, DOWN = (0.05, 0.03, 0.07), (0.01, -0.01, 0.03), (-0.05, -0.07, -0.03)


def pair(task="sgcls", gain=UP, **more):
    base = row("baseline", task=task, mR_50=0.2, **more)
    return base, row("seg-grounded", task=task, mR_50=0.25, comparisons=against(*gain, "mR@50"), **more)


def headings(*rows):
    return {one.name: one.heading for one in verdict(results(*rows))}


def test_the_mean_of_comparisons_has_the_mean_interval():
    made = together([Difference(1.0, 0.0, 2.0, ()), Difference(3.0, 1.0, 5.0, ())])
    assert (made.value, made.low, made.high) == (2.0, 0.5, 3.5)


@pytest.mark.parametrize(
    ("gain", "heading", "counted"),
    [
        (UP, "Grounded models score higher", "clearly higher in 1, clearly lower in 0"),
        (DOWN, "Grounded models score lower", "clearly higher in 0, clearly lower in 1"),
        (NOISE, "Grounded models score no measurably higher", "clearly higher in 0, clearly lower in 0"),
    ],
)
def test_the_first_finding_follows_the_sign(gain, heading, counted):
    (found,) = verdict(results(*pair(gain=gain)))
    assert found.heading == heading and counted in found.sentence
    assert found.sentence.endswith("Each is of one training each: another seed could change it.")


def test_a_mean_within_noise_counts_the_places_that_are_clear():
    rows = [*pair(), *pair("predcls", (-0.04, -0.10, 0.02))]
    assert headings(*rows) == {"higher": "Grounded models score higher in 1 of 2 comparisons"}
    assert headings(*pair(), *pair("predcls", DOWN)) == {"higher": "Grounded models score no measurably higher"}


@pytest.mark.parametrize(
    ("gain", "same", "heading"),
    [
        (UP, NOISE, "The joint detector explains most of the gain"),
        (UP, (-0.01, -0.03, 0.01), "The joint detector explains the gain"),
        (UP, (0.04, -0.01, 0.09), "The joint detector may or may not explain the gain"),
        (UP, (0.03, 0.01, 0.05), "The joint detector does not explain all of the gain"),
        (UP, DOWN, "On one and the same detector, masks cost"),
        (NOISE, NOISE, "On one and the same detector, masks bring nothing clear"),
        (DOWN, UP, "On one and the same detector, masks bring something"),
    ],
)
def test_the_second_finding_compares_what_is_left_with_what_was_gained(gain, same, heading):
    base, grounded = pair(gain=gain)
    grounded["comparisons"] |= against(*same, "mR@50", "joint")
    assert headings(base, grounded)["detector"] == heading


def judged(numbers, masks="refined", edges="contact", share=0.6):
    grounding = {"edges": edges} | ({} if masks == "transferred" else {"masks": masks})
    grounding = {name: value for name, value in grounding.items() if value != "gaussian"}
    return row("seg-grounded", mR_50=0.3, grounding=grounding) | {
        "comparisons": against(*numbers, "mR@50", "rectangles"),
        "share": {"mR@50": {"value": share, "low": 0.0, "high": 1.0}},
    }


BOXES = row("seg-grounded", mR_50=0.25, grounding={"masks": "rectangles", "edges": "contact"})


@pytest.mark.parametrize(
    ("numbers", "heading"),
    [
        (UP, "Masks bring more than rectangles"),
        (DOWN, "Masks bring less than rectangles"),
        (NOISE, "Masks bring no measurably more than rectangles"),
    ],
)
def test_the_third_finding_judges_pixel_refined_masks_in_the_contact_frame(numbers, heading):
    (found,) = verdict(results(BOXES, judged(numbers), judged(UP, "oracle")))
    assert found.heading == heading and found.name == "shape" and found.link == "table5.html"
    assert found.sentence.startswith("Borrowed masks refined by pixels, in the contact frame, against each box")
    assert "True masks would bring +5.0 [3.0–7.0]. 60 % of that gap is closed" in found.sentence


@pytest.mark.parametrize(
    ("truth", "words"), [(DOWN, "True masks do harm: −5.0"), (NOISE, "True masks change little: +1.0")]
)
def test_true_masks_are_told_by_their_sign(truth, words):
    (found,) = verdict(results(BOXES, judged(UP), judged(truth, "oracle")))
    assert words in found.sentence


def test_a_gap_that_stays_open_has_no_percentage():
    (found,) = verdict(results(BOXES, judged(DOWN, share=-0.1), judged(UP, "oracle")))
    assert "Nothing of that gap is closed" in found.sentence


def test_borrowed_masks_are_judged_where_no_refined_ones_were_trained():
    boxes = row("seg-grounded", mR_50=0.25, grounding={"masks": "rectangles"})
    found = verdict(results(boxes, judged(UP, "transferred", "gaussian")))
    assert found[-1].sentence.startswith("Borrowed masks against each box")


def test_a_study_without_comparisons_finds_nothing():
    assert verdict(results()) == [] and verdict(results(row("baseline", mR_50=0.2))) == []
    assert answer(results()) == []


def test_the_answer_is_the_findings_in_words():
    (found,) = answer(results(*pair()))
    assert found.startswith("Grounded models score higher: +5.0 [3.0–7.0] points of mR@50. Seg-grounded minus baseline")


def test_a_findings_chart_has_a_row_for_each_task_with_its_single_comparisons():
    (found,) = verdict(results(*pair(), *pair(model="imp", gain=NOISE), *pair("predcls")))
    (axes,) = panels.alone(found.panel).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["PredCls", "SGCls"]
    dots = sorted(tuple(map(float, spot)) for drawn in axes.collections for spot in drawn.get_offsets())
    assert (3.0, 1.0) in [(round(x, 6), y) for x, y in dots]
