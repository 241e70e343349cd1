"""What every scene graph model must do, whatever it is; a new file is tested by being there."""

from dataclasses import replace

import pytest
import torch
from scenes import CLASSES, PREDICATES, SEEING, FixedDetector, box_extractor, make, materials, values
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs
from segsg.models.registry import context_of, names
from segsg.models.scene_graph import PairSampler, SceneGraphModel

NODES, POOLING = 12, 10


def built(name, labels_given=False, **dropped):
    torch.manual_seed(1)
    counts = torch.randint(0, 5, (CLASSES, CLASSES, PREDICATES))
    return context_of(name)(materials(labels_given, counts=counts, **dropped)).eval()


def run(context, look):
    torch.manual_seed(2)
    width, pairs = torch.randn(CLASSES, NODES), all_pairs(look.regions.image)
    nodes = look.regions.class_probabilities @ width
    centre = look.regions.boxes.mean(dim=1)
    edges = torch.sin(centre[pairs[:, :1]] + torch.arange(POOLING) + 2 * centre[pairs[:, 1:]])
    return context(nodes, edges, pairs, look.regions)


every_context = pytest.mark.parametrize("name", names())
both = pytest.mark.parametrize("labels_given", [True, False])


@every_context
@both
def test_shapes(name, labels_given):
    context = run(built(name, labels_given), make([3, 0, 4])[0])
    assert context.object_logits.shape == (7, CLASSES)
    assert context.predicate_logits.shape == (3 * 2 + 4 * 3, PREDICATES)


@every_context
@both
def test_permuting_regions_permutes_the_answer(name, labels_given):
    look, _ = make([5])
    order = torch.tensor([3, 0, 4, 1, 2])
    regions = look.regions
    shuffled = replace(
        regions,
        boxes=regions.boxes[order],
        labels=regions.labels[order],
        class_probabilities=regions.class_probabilities[order],
    )
    model = built(name, labels_given)
    before, after = run(model, look), run(model, replace(look, regions=shuffled))
    assert_close(after.object_logits, before.object_logits[order])
    place = {tuple(pair): i for i, pair in enumerate(all_pairs(regions.image).tolist())}
    rows = [place[(int(order[s]), int(order[o]))] for s, o in all_pairs(regions.image).tolist()]
    assert_close(after.predicate_logits, before.predicate_logits[rows])


@every_context
@both
def test_other_images_of_the_batch_change_nothing(name, labels_given):
    look, _ = make([3, 5, 2])
    alone = replace(
        look,
        regions=replace(
            look.regions,
            boxes=look.regions.boxes[3:8],
            image=torch.zeros(5, dtype=torch.long),
            labels=look.regions.labels[3:8],
            class_probabilities=look.regions.class_probabilities[3:8],
            sizes=look.regions.sizes[:1],
            mask_logits=None,
        ),
    )
    model = built(name, labels_given)
    together = run(model, look)
    assert_close(run(model, alone).object_logits, together.object_logits[3:8])
    assert_close(run(model, alone).predicate_logits, together.predicate_logits[6:26])


@every_context
@both
@pytest.mark.parametrize("counts", [[1], [0], [0, 1]])
def test_one_region_or_none_has_no_pair(name, labels_given, counts):
    context = run(built(name, labels_given), make(counts)[0])
    assert context.predicate_logits.shape == (0, PREDICATES)
    assert context.object_logits.isfinite().all()


def scene_graph_model(name, look, task):
    torch.manual_seed(3)
    extractor = box_extractor(NODES, POOLING, dense=16)
    return SceneGraphModel(
        detector=FixedDetector(look),
        extractor=extractor,
        context=built(name, task == "predcls"),
        task=task,
        sampler=PairSampler(64, 0.5),
    )


@pytest.mark.parametrize("name", SEEING)
@pytest.mark.parametrize("task", ["predcls", "sgcls"])
def test_a_handful_of_relations_can_be_learned_by_heart(name, task):
    look, batch = make([4, 3], relations=[[(0, 1, 2), (2, 3, 4), (1, 0, 1)], [(2, 0, 3)]])
    model = scene_graph_model(name, look, task).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        losses = values(model.losses(batch))
        if losses["predicates"] + losses["objects"] < 0.02:
            break
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    graphs = model.eval().predict(batch)
    for graph, relations, labels in zip(graphs, batch.relations, batch.labels, strict=True):
        guess = graph.predicate_probabilities.argmax(dim=1)
        found = {(s, o, int(p)) for (s, o), p in zip(graph.pairs.tolist(), guess, strict=True) if p}
        assert found == {tuple(row) for row in relations.tolist()}
        assert task == "predcls" or torch.equal(graph.labels, labels)


@every_context
@both
def test_every_parameter_learns(name, labels_given):
    context = built(name, labels_given).train()
    out = run(context, make([4, 3])[0])
    said = [out.object_logits, out.predicate_logits, *([] if out.relatedness is None else [out.relatedness])]
    sum(logits.pow(2).sum() for logits in said).backward()
    silent = [key for key, parameter in context.named_parameters() if parameter.grad is None]
    assert silent == []


@pytest.mark.parametrize("name", ["motifs", "vctree"])
def test_inputs_of_context_layers_have_a_dropout_of_their_own(name):
    look, _ = make([4])

    def trained(labels_given, **dropped):
        return run(built(name, labels_given, **dropped).train(), look)

    given, named = trained(True).predicate_logits, trained(False).object_logits
    assert not torch.equal(trained(True, input_dropout=0.5).predicate_logits, given)
    assert torch.equal(trained(True, dropout=0.5).predicate_logits, given)
    assert not torch.equal(trained(False, dropout=0.5).object_logits, named)


def test_an_unknown_model_names_those_that_exist():
    with pytest.raises(ValueError, match=f"no model 'nobody'; there are {', '.join(names())}"):
        context_of("nobody")
