"""A bidirectional LSTM over the sequences of a batch, with a gradient that is made for processors.

PyTorch's own gradient of an LSTM takes, on a processor, two dozen small operations for each step of each direction.
Here both directions take their steps together, and a step does only what depends on the step behind it: all else is
one operation for the whole batch. Values are everywhere those of `torch.nn.LSTM`, which is used on other devices and
where no gradient is wanted.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear
from torch.nn.utils.rnn import PackedSequence

GATES = 4
"""blocks of a projection in PyTorch's order: input, forget, update, output"""
WEIGHTS, DIRECTIONS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh"), ("", "_reverse")
"""how the names of an LSTM's weights begin and end"""


def both_ways(lstm: nn.LSTM, packed: PackedSequence) -> Float[Tensor, "regions both"]:
    """Hidden states of one bidirectional layer, packed: from first to last, and beside them from last to first.

    Gates i, f, o and update u are linear in the input and in the state h' before, σ on the gates, tanh on u; then
    c = f ⊙ c' + i ⊙ u and h = o ⊙ tanh(c). Before the first step h' and c' are zero.
    """
    x, sizes = packed.data, packed.batch_sizes.tolist()
    if x.device.type != "cpu" or not torch.is_grad_enabled():
        return lstm(packed)[0].data
    back = reversal(sizes)
    projected, states = [], []
    for rows, end in zip((x, x[back]), DIRECTIONS, strict=True):
        of_input, of_state, bias, more = (getattr(lstm, f"{name}_l0{end}") for name in WEIGHTS)
        projected.append(linear(rows, of_input, bias + more))
        states.append(of_state)
    forwards, backwards = _Steps.apply(torch.stack(projected), torch.stack(states), tuple(sizes)).unbind()
    return torch.cat([forwards, backwards[back]], dim=1)


def reversal(sizes: list[int]) -> Int[Tensor, "regions"]:
    """For each packed row the row at the mirrored step of its own sequence; its own inverse.

    `sizes[t]` sequences have a step t, the longest first.
    """
    counts = torch.tensor(sizes)
    starts = counts.cumsum(0) - counts
    step = torch.arange(len(sizes)).repeat_interleave(counts)
    rank = torch.arange(len(step)) - starts[step]
    length = (counts[:, None] > torch.arange(sizes[0])).sum(dim=0)
    return starts[length[rank] - 1 - step] + rank


class _Steps(torch.autograd.Function):
    """Projected inputs `[2, regions, gates]`, packed, and weights of the state -> hidden states `[2, regions, h]`."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, sizes: tuple[int, ...]) -> Tensor:
        gates, shape = torch.empty_like(x), (*x.shape[:2], weight.shape[2])
        memories, squashed, hidden = (x.new_empty(shape) for _ in range(3))
        by_state, before = weight.mT.to(x.dtype), None
        kinds, updates = gates.unflatten(2, (GATES, -1)).unbind(2), x.unflatten(2, (GATES, -1))[:, :, 2]
        each = (x, updates, gates, *kinds, memories, squashed, hidden)
        for given, to_update, gate, i, f, u, o, memory, tanh, state in _steps(sizes, *each):
            size = given.shape[1]
            if before is not None:
                given = torch.baddbmm(given, before[0][:, :size], by_state)
                to_update = given.unflatten(2, (GATES, -1))[:, :, 2]
            torch.sigmoid(given, out=gate)
            torch.tanh(to_update, out=u)
            torch.mul(i, u, out=memory)
            if before is not None:
                memory.addcmul_(f, before[1][:, :size])
            torch.tanh(memory, out=tanh)
            torch.mul(o, tanh, out=state)
            before = state, memory
        ctx.save_for_backward(weight, gates, memories, squashed, hidden)
        ctx.sizes = sizes
        return hidden

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        weight, gates, memories, squashed, hidden = ctx.saved_tensors
        weight, sizes, first = weight.to(gates.dtype), ctx.sizes, ctx.sizes[0]
        i, f, u, o = gates.unflatten(2, (GATES, -1)).unbind(2)
        earlier = _earlier(sizes)
        before = torch.cat([torch.zeros_like(memories[:, :first]), memories.index_select(1, earlier)], dim=1)
        # What a step's own gradient is multiplied with depends on no other step.
        by_memory = torch.stack([u * i * (1 - i), before * f * (1 - f), i * (1 - u * u)], dim=2)
        by_hidden, through = squashed * o * (1 - o), o * (1 - squashed * squashed)
        of_gates = torch.empty_like(gates)
        of_kinds = of_gates.unflatten(2, (GATES, -1))
        each = (gradient, by_memory, by_hidden, through, f, of_kinds[:, :, :3], of_kinds[:, :, 3], of_gates)
        of_hidden, of_memory = torch.zeros_like(hidden[:, :first]), torch.zeros_like(hidden[:, :first])
        for given, to_memory, to_output, tanh, forget, three, output, out in reversed(_steps(sizes, *each)):
            now, later = of_hidden[:, : given.shape[1]], of_memory[:, : given.shape[1]]
            now += given
            later.addcmul_(now, tanh)
            torch.mul(to_memory, later[:, :, None], out=three)
            torch.mul(to_output, now, out=output)
            later *= forget
            torch.bmm(out, weight, out=now)
        return of_gates, of_gates[:, first:].mT @ hidden.index_select(1, earlier), None


def _steps(sizes: tuple[int, ...], *packed: Tensor) -> list[tuple[Tensor, ...]]:
    """The rows of each step in every one of the packed arrays `[2, regions, ...]`, without a copy."""
    return list(zip(*(each.split(sizes, dim=1) for each in packed), strict=True))


def _earlier(sizes: tuple[int, ...]) -> Int[Tensor, "later"]:
    """For each packed row from the second step on, the row of its own sequence one step earlier."""
    counts = torch.tensor(sizes)
    return torch.arange(sizes[0], int(counts.sum())) - counts[:-1].repeat_interleave(counts[1:])
