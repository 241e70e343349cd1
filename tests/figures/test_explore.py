"""What the exploring notebook shows, of a made-up photo and a model that was never trained."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_seen import BOXES, HALF, LOOK, MASKS, PARAMS, RIGHT, TRANSFER, extractor, seen
from scenes import CLASSES, MASK_CLASSES, box_extractor

from segsg.evaluation.protocol import DEFAULT
from segsg.figures import explore
from segsg.figures.pictures import picture
from segsg.figures.seen import open_experiment, see
from segsg.grounding.edges import NoPairMasks
from segsg.grounding.segmenter import ConstantMasks


def test_two_models_are_compared_relation_by_relation():
    table = explore.compared(RIGHT, HALF, DEFAULT, depth=20)
    assert table[["subject", "predicate", "object"]].values.tolist() == [
        ["0 cat", "on", "1 cup"],
        ["2 man", "near", "1 cup"],
    ]
    assert table["seg"].tolist() == [2, 1]
    assert table["base"].isna().tolist() == [True, False]
    assert table["found by"].tolist() == ["seg", "both"]


def test_what_comes_late_is_not_found():
    assert explore.compared(RIGHT, HALF, DEFAULT, depth=1)["found by"].tolist() == ["neither", "seg"]


def test_edges_are_scores_of_the_surest_predicate_and_blank_without_a_pair():
    scores, words = explore.edges(RIGHT)
    assert scores[0, 1] == pytest.approx(0.5 * 0.5)
    assert scores[2, 1] == pytest.approx(0.9 * 0.5)
    assert words[2][1] == "near" and words[0][1] == "on"
    assert np.isnan(scores).sum() == 6 and words[0][2] == ""


def test_the_surest_relations_come_first_and_say_whether_they_are_annotated():
    table = explore.surest(RIGHT, 2)
    assert table.values.tolist() == [["2 man", "near", "1 cup", 0.45, True], ["0 cat", "on", "1 cup", 0.25, True]]
    assert explore.surest_pair(HALF) == (1, 0)


def test_the_picture_marks_true_and_zero_shot_relations():
    drawn = picture(RIGHT, "title")
    assert drawn.relations[:2] == ((2, "near", 1, 1.0), (0, "on", 1, 1.0))
    assert drawn.true == {0, 1} and drawn.zero_shot == {1}


def test_parts_of_the_photo_are_inside_their_boxes():
    (x1, y1), (x2, y2) = BOXES[0, :2], BOXES[0, 2:]
    part = explore.photo_of(RIGHT, 0)
    assert part.shape == (np.ceil(y2) - np.floor(y1), np.ceil(x2) - np.floor(x1), 3)
    assert part[0, 0].tolist() == RIGHT.sample.image[:, int(y1), int(x1)].tolist()
    assert explore.photo_of(RIGHT, 0, 2).size > part.size


def test_a_region_shows_the_masks_that_it_borrows_with_their_weights():
    panels = explore.region_masks(RIGHT, 1, most=5)
    assert list(panels) == ["bowl × 0.75", "tray × 0.25", "= cup"]
    logits = LOOK.regions.mask_logits[1].numpy()
    expected = 1 / (1 + np.exp(-(0.75 * logits[1] + 0.25 * logits[2])))
    np.testing.assert_allclose(panels["= cup"], expected, rtol=1e-4)
    np.testing.assert_allclose(panels["tray × 0.25"], 1 / (1 + np.exp(-logits[2])), rtol=1e-4)
    assert list(explore.region_masks(RIGHT, 1, most=1)) == ["bowl × 0.75", "= cup"]


def test_a_control_shows_what_it_puts_in_the_place_of_masks():
    control = seen(RIGHT.prediction.predicate_probabilities, encoder=extractor(ConstantMasks(CLASSES, 1.0)))
    (name, mask), = explore.region_masks(control, 0, most=5).items()  # fmt: skip
    assert name == "= cat" and (mask == 1).all()


def test_a_pair_shows_equation_six_step_by_step():
    panels = explore.pair_masks(RIGHT, 0, 1)
    assert list(panels) == ["subject, mask", "object, mask", "subject, smoothed", "object, smoothed", "pair"]
    np.testing.assert_allclose(panels["pair"], panels["subject, smoothed"] * panels["object, smoothed"], rtol=1e-5)
    assert not np.allclose(panels["subject, mask"], panels["subject, smoothed"])


def test_models_without_masks_have_nothing_to_show():
    blind = seen(RIGHT.prediction.predicate_probabilities, encoder=box_extractor(12, 10))
    assert explore.region_masks(blind, 0, most=5) == {} == explore.pair_masks(blind, 0, 1)
    nodes_only = seen(RIGHT.prediction.predicate_probabilities, encoder=extractor(edges=NoPairMasks()))
    assert explore.pair_masks(nodes_only, 0, 1) == {}


def test_experiments_are_listed_with_their_recalls_and_only_if_measured():
    keys = list(PARAMS.experiments)
    table = explore.experiments(
        PARAMS, {keys[1]: {"metrics": {"mR@50": {"value": 0.6734}, "zsR@100": {"value": None}}}}
    )
    assert table.index.tolist() == [keys[1]]
    assert table["mR@50"].item() == 67.3
    assert np.isnan(table["zsR@100"].item()) and np.isnan(table["R@50"].item())


def test_auto_is_the_pair_of_the_report():
    grounded, baseline = explore.chosen(PARAMS, "auto", "auto")
    assert (PARAMS.experiments[grounded].method, PARAMS.experiments[baseline].method) == ("seg-grounded", "baseline")
    assert explore.chosen(PARAMS, "x", "auto") == ("x", baseline)


class Split(list):
    """Photos with as many relations as their place says."""

    def annotation(self, index):
        return None, None, [0] * index


def test_photos_are_listed_by_place_and_the_list_ends_with_the_split():
    photo = SimpleNamespace(image=torch.zeros(3, 4, 6, dtype=torch.uint8))
    found = explore.photos(replace(RIGHT.experiment, photos=Split([photo] * 5)), 3, 12)
    assert list(found) == ["3: 3 relations", "4: 4 relations"]
    assert found["3: 3 relations"].shape == (4, 6, 3)


def test_unknown_experiments_and_places_are_errors_that_name_the_choice():
    every = ", ".join(PARAMS.experiments)
    with pytest.raises(ValueError, match=f"'x' is no experiment of profile {PARAMS.profile}; choose one of {every}$"):
        open_experiment(PARAMS, "x")
    with pytest.raises(ValueError, match="image 5: the split has images 0 to 2"):
        see(replace(RIGHT.experiment, photos=[0, 1, 2]), 5, 20)


def test_there_are_as_many_mask_classes_as_logits():
    assert len(MASKS) == MASK_CLASSES == TRANSFER.shape[1]
