"""Refinement of masks (eq. 8, 9): nothing at first, learns from mask-set images, is seen by scene graphs."""

from dataclasses import replace

import pytest
import torch
from grounded import refined, slots
from scenes import SEEING, FixedDetector, make, mask_set_look, values
from torch.nn import functional
from torch.testing import assert_close

from segsg.grounding.refinement import RefinedInTraining, RefinedModel
from segsg.kernels.masks import crop as crop_masks
from segsg.models.scene_graph import SceneGraphModel

every_model = pytest.mark.parametrize("name", SEEING)


def scene():
    look, batch = make([3, 0, 4], relations=[[(0, 1, 2)], [], [(1, 0, 3)]])
    return look, batch, *mask_set_look(*make([2, 3], seed=5))


def trained(model, batch, steps=3):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        sum(values(model.mask_losses(batch)).values()).backward()
        optimizer.step()
    return model


@every_model
@pytest.mark.parametrize("kind", [RefinedModel, RefinedInTraining])
@pytest.mark.parametrize("task", ["predcls", "sgcls"])
def test_before_training_refinement_changes_nothing_at_all(name, kind, task):
    look, batch, mask_look, mask_batch = scene()
    detector = FixedDetector(look, mask_look)
    plain = SceneGraphModel(**slots(name, detector, task)).eval()
    model = refined(name, detector, kind, task).eval()
    for expected, found in zip(plain.predict(batch), model.predict(batch), strict=True):
        assert torch.equal(found.predicate_probabilities, expected.predicate_probabilities)
        assert torch.equal(found.scores, expected.scores) and torch.equal(found.labels, expected.labels)
    assert torch.equal(model.mask_look(mask_batch).regions.mask_logits, mask_look.regions.mask_logits)
    for one in (plain, model):
        torch.manual_seed(4)
        one.expected = values(one.losses(batch))
    assert plain.expected == model.expected


@every_model
def test_refinement_learns_masks_and_then_changes_predictions(name):
    look, batch, mask_look, mask_batch = scene()
    model = refined(name, FixedDetector(look, mask_look))
    before, graphs = values(model.mask_losses(mask_batch))["refined_masks"], model.eval().predict(batch)
    trained(model.train(), mask_batch, 30)
    assert values(model.mask_losses(mask_batch))["refined_masks"] < 0.97 * before
    after = model.eval().predict(batch)
    assert not torch.allclose(after[0].predicate_probabilities, graphs[0].predicate_probabilities)


def by_hand(look, batch, rows):
    """Mean over regions of the cross-entropy of unrefined masks; `rows` are (region, its true region)."""
    labels, true = torch.cat(batch.labels), torch.cat(batch.masks)
    losses = []
    for region, truth in rows:
        logits = look.regions.mask_logits[region, labels[truth] - 1]
        target = crop_masks(true[[truth]], look.regions.boxes[[region]], 28)[0]
        losses.append(functional.binary_cross_entropy_with_logits(logits, target))
    return torch.stack(losses).mean()


def test_loss_is_cross_entropy_in_the_true_channel_against_the_true_crop():
    look, _, mask_look, batch = scene()
    model = refined("motifs", FixedDetector(look, mask_look))
    expected = by_hand(mask_look, batch, [(i, i) for i in range(5)])
    assert_close(values(model.mask_losses(batch))["refined_masks"], expected)


def test_detections_learn_the_mask_of_the_box_they_cover_and_others_nothing():
    look, _, mask_look, batch = scene()
    boxes = mask_look.regions.boxes[[1, 0, 2, 3, 4]] + torch.tensor([0.0, 0, 1, 0])
    boxes[[3]] = torch.tensor([0.0, 0, 1, 1])
    detected = replace(mask_look, regions=replace(mask_look.regions, boxes=boxes, labels=torch.zeros(5).long()))
    found = values(refined("motifs", FixedDetector(look, detected), task="sgdet").mask_losses(batch))
    assert_close(found["refined_masks"], by_hand(detected, batch, [(0, 1), (1, 0), (2, 2), (4, 4)]))


@pytest.mark.parametrize("counts", [[0], [0, 1], [1]])
def test_images_with_one_region_or_none(counts):
    look, batch = make(counts)
    mask_look, mask_batch = mask_set_look(look, batch)
    model = refined("vctree", FixedDetector(look, mask_look))
    sum(values(model.mask_losses(mask_batch)).values()).backward()
    assert values(model.mask_losses(mask_batch))["refined_masks"].isfinite()
    assert len(model.eval().predict(batch)) == len(counts)


@every_model
def test_mask_images_train_what_is_shared_and_their_own_but_no_predicate(name):
    look, _, mask_look, mask_batch = scene()
    model = trained(refined(name, FixedDetector(look, mask_look)), mask_batch, 1)
    model.zero_grad()
    sum(values(model.mask_losses(mask_batch)).values()).backward()
    learning = {key for key, parameter in model.named_parameters() if parameter.grad is not None}
    own = {key for key, _ in model.named_parameters() if key.startswith(("refiner.", "domain."))}
    assert own <= learning
    assert {key for key in learning - own if key.startswith("extractor.")} == {
        f"extractor.boxes.nodes.dense.{layer}.{kind}" for layer in (1, 3) for kind in ("weight", "bias")
    }
    assert not [key for key in learning if key.startswith(("context.head", "context.bias", "context.out"))]
    assert [key for key in learning if key.startswith("context.")]


def test_losses_see_refined_masks_only_where_asked_and_never_train_the_refiner():
    look, batch, mask_look, mask_batch = scene()
    detector = FixedDetector(look, mask_look)
    plain, everywhere = (trained(refined("motifs", detector, k), mask_batch) for k in (RefinedModel, RefinedInTraining))
    assert plain.training_look(batch) is look
    assert not torch.equal(everywhere.training_look(batch).regions.mask_logits, look.regions.mask_logits)
    everywhere.zero_grad()
    sum(values(everywhere.losses(batch)).values()).backward()
    assert all(p.grad is None for p in everywhere.refiner.parameters())


def test_vctree_grows_trees_of_mask_images_from_looks_alone():
    """Whatever the class prior says: without classes it is the same factor for every pair."""
    look, _, mask_look, mask_batch = scene()
    model = trained(refined("vctree", FixedDetector(look, mask_look)), mask_batch).eval()
    before = model.mask_look(mask_batch).regions.mask_logits
    with torch.no_grad():
        model.context.arrange.scores.prior.add_(torch.randn_like(model.context.arrange.scores.prior) * 5)
    assert torch.equal(model.mask_look(mask_batch).regions.mask_logits, before)


def test_no_weight_is_saved_twice():
    look, _, mask_look, _ = scene()
    state = refined("vctree", FixedDetector(look, mask_look)).state_dict()
    places = [value.data_ptr() for value in state.values() if value.numel()]
    assert len(places) == len(set(places))
