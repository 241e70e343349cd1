"""Why: a small table of masks against their controls, and what numbers beside it say."""

from made_results import against, results, row

from segsg.report.why import BEYOND_BOXES, CEILING, SAME_DETECTOR, evidence, why


def pair(task, gain, low, high, **more):
    base = row("baseline", task=task, mR_50=0.2, **more)
    return base, row("seg-grounded", task=task, mR_50=0.2 + gain, comparisons=against(gain, low, high, "mR@50"), **more)


def test_a_place_has_what_masks_and_true_masks_bring_beyond_their_controls():
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    grounded["comparisons"] |= against(0.02, 0.01, 0.03, "mR@50", "joint")
    grounded["comparisons"] |= against(-0.01, -0.02, 0.01, "mR@50", "rectangles")
    oracle = row("seg-grounded", mR_50=0.3, grounding={"masks": "oracle"})
    oracle["comparisons"] = against(0.05, 0.03, 0.07, "mR@50", "rectangles")
    (found,) = why(results(base, grounded, oracle)).rows
    assert found.labels == ("VCTree", "ResNeXt-FPN, mini", "SGCls", "borrowed, eq. 6")
    assert found.cells[SAME_DETECTOR].ours == "+2.0 [1.0–3.0]"
    assert found.cells[BEYOND_BOXES].ours == "≈ −1.0 [−2.0, 1.0]"
    assert found.cells[CEILING].ours == "+5.0 [3.0–7.0]"


def test_pixel_refined_masks_in_the_contact_frame_have_a_row_of_their_own():
    refined = row("seg-grounded", mR_50=0.3, grounding={"masks": "refined", "edges": "contact"})
    refined["comparisons"] = against(0.04, 0.01, 0.07, "mR@50", "rectangles")
    (found,) = why(results(refined)).rows
    assert found.labels[3] == "borrowed, pixel-refined, eq. 6 and contact frame"
    assert found.cells[CEILING].value is None and found.cells[SAME_DETECTOR].value is None


def test_what_has_no_control_has_no_row():
    assert why(results(*pair("sgcls", 0.03, 0.01, 0.05))).rows == ()
    assert why(results()).rows == () and evidence(results()) == []


def test_rows_that_a_frequency_table_beats_are_said_to_be_unlearned():
    floor = row("frequency", model="frequency", detector="mini-fpn", mR_50=0.25)
    (sentence,) = evidence(results(floor, *pair("sgcls", 0.1, 0.05, 0.15)))
    assert sentence.endswith("no evidence either way: VCTree, ResNeXt-FPN, mini, SGCls, baseline (20.0).")


def test_quality_edges_and_refinement_are_told_by_numbers():
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    nodes = row("seg-grounded", mR_50=0.21, grounding={"edges": "none"})
    final = row("seg-grounded", grounding={"refinement": "inference"}, masks={"AP": 0.31}, unrefined_masks={"AP": 0.3})
    quality = {"softmax": {"cup": 0.6}, "rectangles": {"cup": 0.4}}
    study = results(base, grounded, nodes, final, transfer_quality=quality)
    study["grounding"] = study["grounding"] | {"transfer": "softmax"}
    masks, edges, refined = evidence(study)
    assert "by 60.0 %" in masks and "by 40.0 %" in masks
    assert "nodes alone by +2.0 points of mR@50, the mean of 1 place." in edges
    assert "by +1.0 points in the mean of 1 rows; 1 of them" in refined
