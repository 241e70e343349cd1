"""The naming decoder written out: region by region from its equations, and step by step as the original code has it."""

import torch
from torch import nn
from torch.nn.functional import linear

from segsg.models.parts import known_or_best


def weights_of(module):
    """(inputs, bias, state) of each gate i, o, f, r, u and of the projection p, which has no state."""
    hidden = module.state.shape[1]
    inputs = torch.cat([module.inputs.weight, module.name_inputs.weight], dim=1).split(hidden)
    return list(zip(inputs, module.inputs.bias.split(hidden), [*module.state.split(hidden), None], strict=True))


def cell(weights, x, state):
    """The highway LSTM gate by gate, from the weights of its input, its bias, and the weights of its state."""
    (i, o, f, r, u, p), gates = weights, {}
    for name, (inputs, bias, recurrent) in {"i": i, "o": o, "f": f, "r": r, "u": u}.items():
        gates[name] = inputs @ x + bias + recurrent @ state[0]
    i, o, f, r = (1 / (1 + torch.exp(-gates[name])) for name in "iofr")
    memory = i * torch.tanh(gates["u"]) + f * state[1]
    return r * o * torch.tanh(memory) + (1 - r) * (p[0] @ x + p[1]), memory


def decode_slowly(module, features, truth, before):
    """Logits and names, one region at a time, with the name's vector beside the features.

    `before` has for each region the one that it hears from, or None.
    """
    logits, names, states, weights = {}, {}, {}, weights_of(module)

    def visit(region):
        if region in names:
            return
        state, name = (features.new_zeros(module.state.shape[1]),) * 2, module.start
        if before[region] is not None:
            visit(before[region])
            state, name = states[before[region]], names[before[region]]
        states[region] = cell(weights, torch.cat([features[region], module.names.table[name]]), state)
        logits[region] = module.out(states[region][0])
        names[region] = (int(truth[region]) if module.training else 0) or int(logits[region][1:].argmax()) + 1

    everyone = range(len(features))
    for region in everyone:
        visit(region)
    return torch.stack([logits[k] for k in everyone]), torch.tensor([names[k] for k in everyone])


class StepByStep(nn.Module):
    """A `HighwayDecoder` without dropout whose steps project everything: features, name before, and state.

    All images of a batch take a step together, as in the training of Neural Motifs.
    """

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, features, regions, order):
        """Object logits `[regions, classes]` and labels `[regions]`, as those of the decoder."""
        own = self.decoder
        width = own.state.shape[1]
        hidden = memory = features.new_zeros(1, width)
        handed, logits, labels = torch.full((1,), own.start), [], []
        for level, parents in zip(order.levels, order.parents, strict=True):
            name = own.names.table[handed[parents]]
            x = linear(features[level], own.inputs.weight, own.inputs.bias) + linear(name, own.name_inputs.weight)
            gates = x[:, : 5 * width] + linear(hidden[parents], own.state)
            i, o, f, r = gates[:, : 4 * width].sigmoid().chunk(4, dim=1)
            memory = i * gates[:, 4 * width :].tanh() + f * memory[parents]
            hidden = r * o * memory.tanh() + (1 - r) * x[:, 5 * width :]
            logits.append(own.out(hidden))
            handed = known_or_best(logits[-1], regions.labels[level], own.training)
            labels.append(handed)
        return torch.cat(logits)[order.inverse], torch.cat(labels)[order.inverse]
