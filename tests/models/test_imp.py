"""Iterative message passing against loops over pairs with the gates of the paper."""

import torch
from scenes import CLASSES, PREDICATES, make
from torch import nn
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs
from segsg.models.imp import ROUNDS, Imp
from segsg.models.parts import Classifier, FrequencyBias

NODES, POOLING, HIDDEN = 5, 4, 6


def model():
    torch.manual_seed(0)
    bias = FrequencyBias(torch.randint(0, 5, (CLASSES, CLASSES, PREDICATES)))
    return Imp(
        node_width=NODES,
        pooling=POOLING,
        hidden=HIDDEN,
        decoder=Classifier(HIDDEN, CLASSES),
        out=nn.Linear(HIDDEN, PREDICATES),
        bias=bias,
    )


def gate(imp, k, region, pair):
    """σ(w_k · [region; pair])"""
    weight = torch.cat([imp.node_gates.weight[k], imp.edge_gates.weight[k]])
    return (weight @ torch.cat([region, pair]) + imp.node_gates.bias[k]).sigmoid()


def states_slowly(imp, nodes, edges, pairs):
    v = imp.node_cell(imp.node_inputs(nodes), torch.zeros(len(nodes), HIDDEN))
    e = imp.edge_cell(imp.edge_inputs(edges), torch.zeros(len(edges), HIDDEN))
    for _ in range(ROUNDS):
        to_nodes, to_edges = [torch.zeros(HIDDEN) for _ in v], []
        for k, (s, o) in enumerate(pairs.tolist()):
            to_edges.append(gate(imp, 0, v[s], e[k]) * v[s] + gate(imp, 1, v[o], e[k]) * v[o])
            to_nodes[s] = to_nodes[s] + gate(imp, 2, v[s], e[k]) * e[k]
            to_nodes[o] = to_nodes[o] + gate(imp, 3, v[o], e[k]) * e[k]
        heard = [max(1, pairs.flatten().tolist().count(i)) for i in range(len(v))]
        to_nodes = [total / count for total, count in zip(to_nodes, heard, strict=True)]
        v, e = imp.node_cell(torch.stack(to_nodes), v), imp.edge_cell(torch.stack(to_edges), e)
    return v, e


def test_messages_are_means_of_gated_states():
    imp, regions = model(), make([3, 2])[0].regions
    pairs = all_pairs(regions.image)[[0, 1, 3, 4, 7]]
    nodes, edges = torch.randn(5, NODES), torch.randn(5, POOLING)
    context = imp(nodes, edges, pairs, regions)
    v, e = states_slowly(imp, nodes, edges, pairs)
    logits, labels = imp.decoder(v, regions)
    assert_close(context.object_logits, logits)
    labels = torch.where(regions.labels > 0, regions.labels, labels)
    assert_close(context.predicate_logits, imp.out(e) + imp.bias(labels, pairs))


def test_what_a_region_hears_does_not_grow_with_the_number_of_pairs():
    """Training asks about a few pairs, prediction about all."""
    imp, regions = model(), make([2])[0].regions
    nodes, edges = torch.randn(2, NODES), torch.randn(2, POOLING)
    once, often = all_pairs(regions.image), all_pairs(regions.image).repeat(5, 1)
    few, many = imp(nodes, edges, once, regions), imp(nodes, edges.repeat(5, 1), often, regions)
    assert_close(few.object_logits, many.object_logits)
    assert_close(few.predicate_logits, many.predicate_logits[:2])


def test_the_scale_of_the_encoders_does_not_matter():
    """An untrained encoder answers on another scale for each backbone."""
    imp, regions = model(), make([3, 2])[0].regions
    pairs = all_pairs(regions.image)
    nodes, edges = torch.randn(5, NODES), torch.randn(len(pairs), POOLING)
    quiet, loud = (imp(scale * nodes, scale * edges, pairs, regions) for scale in (1, 10))
    assert_close(quiet.object_logits, loud.object_logits, atol=1e-3, rtol=1e-3)
    assert_close(quiet.predicate_logits, loud.predicate_logits, atol=1e-3, rtol=1e-3)
