"""Names and boxes: class vectors and geometry alone decide; any word will do."""

from dataclasses import replace

import torch
from scenes import CLASSES, PREDICATES, make, materials
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs
from segsg.kernels.geometry import GEOMETRY, pair_geometry
from segsg.models.names_and_boxes import PairNetwork, context

WORDS = 7


def network():
    torch.manual_seed(0)
    return PairNetwork(words=WORDS, hidden=6, predicates=4, dropout=0.5).eval()


def asked(pairs, words=WORDS):
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(2, pairs, 2, generator=generator)
    boxes = torch.cat([corner, corner + torch.rand(2, pairs, 2, generator=generator)], dim=2)
    return *torch.randn(2, pairs, words, generator=generator), pair_geometry(*boxes)


def test_logits_by_plain_loops():
    """Each pair for itself, each unit as a sum over its inputs."""
    model = network()

    def linear(layer, x):
        weights, biases = layer.weight.tolist(), layer.bias.tolist()
        return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(weights, biases, strict=True)]

    def rectified(x):
        return [max(v, 0.0) for v in x]

    subjects, objects, geometry = asked(3)
    logits = model(subjects, objects, geometry)
    for k in range(3):
        names = [*subjects[k].tolist(), *objects[k].tolist()]
        places = linear(model.geometry[3], rectified(linear(model.geometry[0], geometry[k].tolist())))
        summed = [a + b for a, b in zip(linear(model.names, names), places, strict=True)]
        hidden = rectified(linear(model.out[2], rectified(summed)))
        assert_close(logits[k], torch.tensor(linear(model.out[5], hidden)))


def test_permuting_pairs_permutes_logits():
    order = torch.tensor([3, 0, 4, 1, 2])
    parts = asked(5)
    assert_close(network()(*(part[order] for part in parts)), network()(*parts)[order])


def test_no_pair_has_no_logits():
    assert network()(*asked(0)).shape == (0, 4)


def test_a_word_that_it_never_saw_is_judged_by_its_vector():
    """No table of names could lack it: the same vector says the same whatever its name, another one something else."""
    model = network()
    subjects, objects, geometry = asked(2)
    assert_close(model(subjects[:1].clone(), objects[:1], geometry[:1]), model(subjects, objects, geometry)[:1])
    new = model(10 * subjects[1:], objects[:1], geometry[:1])
    assert new.isfinite().all() and not torch.allclose(new, model(subjects[:1], objects[:1], geometry[:1]))


def test_gradients_are_finite_for_boxes_that_are_points():
    model = network().train()
    point = torch.full((2, 4), 3.0)
    subjects, objects, _ = asked(2)
    model(subjects, objects, pair_geometry(point, point)).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def run(model, regions):
    pairs = all_pairs(regions.image)
    return model(torch.zeros(len(regions), 0), torch.zeros(len(pairs), 0), pairs, regions)


def built():
    torch.manual_seed(1)
    counts = torch.randint(0, 5, (CLASSES, CLASSES, PREDICATES))
    return context(materials(True, counts=counts)).eval()


def test_it_sees_names_and_boxes_alone():
    model, regions = built(), make([4])[0].regions
    pairs = all_pairs(regions.image)
    pixels = torch.randn(4, 3), torch.randn(len(pairs), 5)
    assert_close(model(*pixels, pairs, regions).predicate_logits, run(model, regions).predicate_logits)


def test_classes_stay_as_the_detector_names_them():
    regions = make([3])[0].regions
    assert_close(run(built(), regions).object_logits.softmax(dim=1), regions.class_probabilities)


def test_the_size_of_the_photo_does_not_matter():
    model, regions = built(), make([4])[0].regions
    larger = replace(regions, boxes=regions.boxes * 4 + 16, sizes=[(512, 512)])
    assert_close(run(model, larger).predicate_logits, run(model, regions).predicate_logits, atol=1e-4, rtol=1e-4)


def test_geometry_and_names_both_matter():
    model, regions = built(), make([2])[0].regions
    before = run(model, regions).predicate_logits
    turned = replace(regions, boxes=regions.boxes.flip(0))
    renamed = replace(regions, class_probabilities=regions.class_probabilities.roll(1, dims=1))
    assert not torch.allclose(run(model, turned).predicate_logits, before)
    assert not torch.allclose(run(model, renamed).predicate_logits, before)
    assert model.network.geometry[0].in_features == GEOMETRY
