import numpy as np
import pytest
from made_results import BASELINE, GROUNDED, results, row

from segsg.evaluation.matching import MISSED
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.ranks import Ranks, save
from segsg.study.collect import add_comparisons
from segsg.study.params import Evaluation

NUMBERS = Evaluation([20, 50, 100], 0.5, 100, 0.95, True, 0.3, 1)


def write(folder, key, found, images=60, name="ranks.npz"):
    """Ranks of images with one relation each, of which the first `found` are answered."""
    rank = np.where(np.arange(images) < found, 0, MISSED).astype(np.int32)
    ids, ones = np.arange(images), np.ones((images, 3), dtype=np.int32)
    (folder / key).mkdir(exist_ok=True)
    ranks = Ranks(
        image_ids=ids, boxes=ids, predicted=ids >= 0, image=ids, triplets=ones, constrained=rank, free=rank,
        predicates=3, protocol=DEFAULT,
    )  # fmt: skip
    save(folder / key / name, ranks)


@pytest.fixture
def compared(tmp_path):
    controls = [row("seg-grounded", grounding={"masks": masks}) for masks in ("rectangles", "oracle")]
    file = results(BASELINE, GROUNDED, *controls, GROUNDED | {"seed": 1})
    for key, found in zip(file["experiments"], (12, 30, 24, 48, 30), strict=True):
        write(tmp_path, key, found)
    add_comparisons(file, tmp_path.joinpath, NUMBERS, 0)
    return file["experiments"]


def test_rows_are_compared_with_their_baseline_and_their_control(compared):
    assert compared["00"]["comparisons"] == {}
    assert compared["01"]["comparisons"].keys() == {"baseline", "rectangles"}
    assert compared["01"]["comparisons"]["baseline"]["R@20"]["difference"] == pytest.approx(18 / 60)
    assert compared["01"]["comparisons"]["rectangles"]["R@20"]["difference"] == pytest.approx(6 / 60)


def test_the_share_of_the_gap_lies_between_the_controls(compared):
    assert compared["01"]["share"]["R@20"]["value"] == pytest.approx(6 / 24)
    assert compared["00"]["share"] == compared["02"]["share"] == compared["03"]["share"] == {}


def test_images_of_one_set_are_compared_on_their_own(tmp_path):
    apart = {"unshared": {"images": 40, "metrics": {}}}
    file = results(BASELINE | apart, GROUNDED | apart)
    for key, found, left in (("00", 12, 4), ("01", 30, 14)):
        write(tmp_path, key, found)
        write(tmp_path, key, left, images=40, name="unshared.npz")
    add_comparisons(file, tmp_path.joinpath, NUMBERS, 0)
    base, grounded = (file["experiments"][key]["unshared"]["comparisons"] for key in ("00", "01"))
    assert base == {} and grounded.keys() == {"baseline"}
    assert grounded["baseline"]["R@20"]["difference"] == pytest.approx(10 / 40)


def test_the_papers_images_are_compared_on_their_own(tmp_path):
    kept = {"paper_images": {"images": 41, "metrics": {}}}
    file = results(BASELINE | kept, GROUNDED | kept)
    for key, found in (("00", 12), ("01", 50)):
        write(tmp_path, key, found)  # image k has k boxes
    add_comparisons(file, tmp_path.joinpath, NUMBERS, 0)
    base, grounded = (file["experiments"][key]["paper_images"]["comparisons"] for key in ("00", "01"))
    assert base == {}
    assert grounded["baseline"]["R@20"]["difference"] == pytest.approx((41 - 12) / 41)


def test_a_seed_without_counterpart_is_compared_with_nothing(compared):
    assert compared["04"]["comparisons"] == {}
    assert compared["04"]["share"] == {}


def test_metrics_that_no_table_shows_are_left_out(compared):
    assert compared["01"]["comparisons"]["baseline"].keys() <= {
        f"{m}@{k}" for m in ("R", "mR", "zsR") for k in (20, 50, 100)
    }


def test_a_line_of_several_seeds_says_what_they_say_together(tmp_path):
    file = results(BASELINE, GROUNDED, *(one | {"seed": 1} for one in (BASELINE, GROUNDED)))
    for entry in file["experiments"].values():
        entry["metrics"] = {"R@20": {"value": 0.0, "low": 0.0, "high": 0.0}}
    for key, found in zip(file["experiments"], (12, 30, 18, 30), strict=True):
        write(tmp_path, key, found)
    add_comparisons(file, tmp_path.joinpath, NUMBERS, 0)
    first, second = (file["experiments"][key] for key in ("01", "03"))
    one, other = (row["comparisons"]["baseline"]["R@20"] for row in (first, second))
    assert (one["difference"], other["difference"]) == pytest.approx((18 / 60, 12 / 60))
    assert one["pooled"] == other["pooled"]
    assert one["pooled"]["difference"] == pytest.approx(15 / 60)
    assert one["pooled"]["low"] < 15 / 60 < one["pooled"]["high"]
    assert first["metrics"]["R@20"]["pooled"]["value"] == pytest.approx(0.5)
    assert file["experiments"]["00"]["metrics"]["R@20"]["pooled"]["value"] == pytest.approx(0.25)
