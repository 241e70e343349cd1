import pytest
from made_results import GROUNDED, PAPER, results, row

from segsg.report.borrowed_table import transfer_quality
from segsg.report.cells import EMPTY
from segsg.report.mask_tables import class_gains, table2


def masks(precision, *classes):
    return {
        "AP": precision,
        "AP50": 2 * precision,
        "AP75": None,
        "AP_S": 0.1,
        "AP_M": 0.2,
        "AP_L": 0.3,
        "per_class": list(classes),
    }


REFINED = row("seg-grounded", grounding={"refinement": "inference"}, masks=masks(0.4, 0.5, 0.3, None))
PLAIN = GROUNDED | {"masks": masks(0.3, 0.2, 0.25, 0.1)}


def test_masks_before_and_after_refinement_with_the_papers_numbers():
    table = table2(results(REFINED, PLAIN), PAPER)
    assert [line.labels for line in table.rows] == [
        ("ResNeXt-FPN, mini", "none", "no refine"), ("ResNeXt-FPN, mini", "VCTree", "refine"),
    ]  # fmt: skip
    before, after = (line.cells for line in table.rows)
    assert (before[("SGCls", "AP")].ours, before[("SGCls", "AP")].theirs) == ("30.0", "51.6")
    assert (after[("SGCls", "AP50")].ours, after[("SGCls", "AP75")].ours) == ("80.0", EMPTY)


def test_rows_that_only_the_paper_has_stand_below():
    theirs = {"detector": "VGG-16", "model": "MOTIF", "method": "refine", "sgcls": [37.5] * 6, "status": "printed"}
    last = table2(results(REFINED, PLAIN), PAPER | {"table2": [*PAPER["table2"], theirs]}).rows[-1]
    assert last.labels == ("VGG-16", "MOTIF", "refine")
    assert (last.cells[("SGCls", "AP")].ours, last.cells[("SGCls", "AP")].theirs) == (EMPTY, "37.5")


def test_seeds_of_a_refined_model_are_averaged():
    other = REFINED | {"seed": 1, "masks": masks(0.5)}
    cell = table2(results(REFINED, other), PAPER).rows[1].cells[("SGCls", "AP")]
    assert (cell.value, cell.seeds) == (pytest.approx(45.0), 2)


def test_detections_without_refinement_are_the_detectors_own():
    table = table2(results(REFINED | {"task": "sgdet"}), PAPER)
    assert table.rows[0].cells[("SGDet", "AP")].ours == "30.0"


def test_refining_in_training_too_is_a_line_of_its_own():
    other = row("seg-grounded", grounding={"refinement": "training"}, masks=masks(0.45))
    lines = table2(results(REFINED, other), PAPER).rows
    found = [(line.labels[2], line.cells[("SGCls", "AP")]) for line in lines[1:]]
    assert [(masks, cell.ours, cell.theirs) for masks, cell in found] == [
        ("refine", "40.0", "54.3"), ("refine, in training too", "45.0", EMPTY),
    ]  # fmt: skip


def test_what_a_refined_model_started_from_needs_no_other_row():
    table = table2(results(REFINED | {"unrefined_masks": masks(0.35)}), PAPER)
    assert [line.cells[("SGCls", "AP")].ours for line in table.rows] == ["35.0", "40.0"]


def test_a_study_without_refinement_says_so():
    assert table2(results(PLAIN), PAPER).rows == ()
    assert class_gains(results(PLAIN)).rows == ()


def measured_detector(seed, disjoint=False, **protocols):
    """A joint detector with the AP of its masks by protocol, before and after the pixel refiner."""
    both = {name: {"masks": masks(before), "pixel_masks": masks(after)} for name, (before, after) in protocols.items()}
    kind = {"backbone": "resnext-mini-fpn", "joint": True, "disjoint": disjoint, "seed": seed}
    return kind | {"metrics": {}, "mask_precision": both}


def test_masks_of_a_detector_before_and_after_its_pixel_refiner():
    detectors = {
        "a": measured_detector(0, sgcls=(0.3, 0.5), detections=(0.2, 0.25)),
        "b": measured_detector(1, sgcls=(0.4, 0.7), detections=(0.2, 0.35)),
        "apart": measured_detector(0, disjoint=True, sgcls=(0.9, 0.9)),
    }
    table = table2(results() | {"detectors": detectors}, PAPER)
    assert list(table.groups) == ["SGCls", "Detections"]
    assert [line.labels[1:] for line in table.rows] == [
        ("none", "no refine"), ("none", "pixel refiner"), ("VCTree", "refine"),
    ]  # fmt: skip
    before, after, theirs = (line.cells for line in table.rows)
    assert [line[("SGCls", "AP")].value for line in (before, after)] == [pytest.approx(35.0), pytest.approx(60.0)]
    assert before[("SGCls", "AP")].paper == 51.6 and not any(cell.paper for cell in after.values())
    assert [line[("Detections", "AP")].ours for line in (before, after, theirs)] == [
        "20.0 ±0.0", "30.0 ±7.1", EMPTY,
    ]  # fmt: skip


def test_the_pixel_refiner_on_top_of_a_models_masks_is_a_line_of_its_own():
    other = REFINED | {"pixel_masks": masks(0.6)}
    assert [(line.labels[2], line.cells[("SGCls", "AP")].ours) for line in table2(results(other), PAPER).rows] == [
        ("no refine", EMPTY), ("refine", "40.0"), ("refine, then pixel refiner", "60.0"),
    ]  # fmt: skip


def test_classes_are_sorted_by_their_gain_and_keep_their_names():
    table = class_gains(results(REFINED, PLAIN, mask_classes=["cup", "dog", "hat"]))
    assert [line.labels for line in table.rows] == [("cup",), ("dog",), ("hat",)]
    gains = [line.cells[("VCTree · ResNeXt-FPN, mini · SGCls", "gain")].ours for line in table.rows]
    assert gains == ["30.0", "5.0", EMPTY]


def test_borrowed_masks_by_mode_copied_classes_first_under_their_means():
    quality = {"oracle": {"cup": 0.9, "man": 0.8, "cat": None}, "softmax": {"cup": 0.9, "man": 0.5, "cat": 0.3}}
    table = transfer_quality(results(transfer_quality=quality, copied_classes=["cup"]))
    assert table.columns == (("", "softmax"), ("", "oracle"))
    assert [(line.labels[0], line.labels[1]) for line in table.rows] == [
        ("mean of all classes", ""), ("mean of copied classes", ""), ("mean of combined classes", ""),
        ("cup", "copied"), ("cat", "combined"), ("man", "combined"),
    ]  # fmt: skip
    combined = table.rows[2].cells
    assert [combined[("", mode)].value for mode in ("softmax", "oracle")] == [pytest.approx(40.0), pytest.approx(80.0)]
    assert transfer_quality(results()).rows == ()


def test_borrowed_masks_of_a_refining_model_are_a_column_of_transfer_quality():
    refined = REFINED | {"borrowed_masks": {"unrefined": {"cup": 0.5, "dog": 0.7}, "refined": {"cup": 0.6, "dog": 0.8}}}
    study = results(refined) | {"transfer_quality": {"softmax": {"cup": 0.5, "dog": 0.7}}, "copied_classes": ["dog"]}
    table = transfer_quality(study)
    assert table.columns == (("", "softmax"), ("refined by a model", "VCTree, SGCls"))
    assert table.rows[0].cells[("refined by a model", "VCTree, SGCls")].ours == "70.0"


def test_other_detectors_have_columns_under_their_names_without_rectangles():
    ways = ("oracle", "rectangles", "softmax", "softmax, mini-fpn-apart", "rectangles, mini-fpn-apart")
    table = transfer_quality(results(transfer_quality={way: {"cup": 0.5} for way in ways}))
    apart = "ResNeXt-FPN, mini, without shared photos"
    assert table.columns == (("", "rectangles"), ("", "softmax"), ("", "oracle"), (apart, "softmax"))
