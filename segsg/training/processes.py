"""What processes that train one model together tell each other in a step; one process tells nobody anything.

Together they make the step that one process would make of all images: batches are padded to one size, losses are means
over all their terms, and gradients are sums of everybody's. Sums have a fixed order, so equal runs give equal bits.
"""

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed, nn

from segsg.data.loading import padded
from segsg.structures import Batch, Mean


class Together(DDPStrategy):
    """Starts as torchrun asks and gives every process the first one's weights; gradients are added up by the loop.

    PyTorch's DistributedDataParallel fails where a process lacks a gradient, as one without regions does, and adds up
    in another order once it has seen a step, so that a resumed run would differ.
    """

    def setup_module(self, module: nn.Module) -> nn.Module:
        for value in module.state_dict().values():
            sent = value.contiguous()
            distributed.broadcast(sent, 0)
            value.copy_(sent)
        return module


def padded_alike(batches: dict[str, Batch], fabric: Fabric) -> dict[str, Batch]:
    """The batches of this process, each padded to the largest images that any process has in its place."""
    sizes = torch.tensor([list(batch.images.shape[-2:]) for batch in batches.values()], device=fabric.device)
    largest = fabric.all_reduce(sizes, reduce_op="max").tolist()
    return {name: padded(batch, *size) for (name, batch), size in zip(batches.items(), largest, strict=True)}


def whole_means(means: dict[str, Mean], fabric: Fabric) -> tuple[Tensor, Tensor]:
    """(losses of the whole step, number of their terms), in the order of `means`, without gradients."""
    totals = torch.stack([mean.total.detach().double() for mean in means.values()])
    counts = torch.tensor([mean.count for mean in means.values()], dtype=torch.double, device=totals.device)
    totals, counts = fabric.all_reduce(torch.stack([totals, counts]), reduce_op="sum")
    counts = counts.clamp(min=1)
    return totals / counts, counts


def add_gradients(parameters: list[nn.Parameter], fabric: Fabric) -> None:
    """Every parameter gets the sum of its gradients in all processes; a parameter that a step leaves alone has zero."""
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    if fabric.world_size > 1:
        summed = fabric.all_reduce(torch.cat([p.grad.flatten() for p in parameters]), reduce_op="sum")
        for parameter, part in zip(parameters, summed.split([p.numel() for p in parameters]), strict=True):
            parameter.grad.copy_(part.view_as(parameter))


def gathered(numbers: list[int], fabric: Fabric) -> list[int]:
    """The numbers of all processes, one process after the other; each has as many."""
    table = torch.zeros(fabric.world_size, len(numbers), dtype=torch.long, device=fabric.device)
    table[fabric.global_rank] = torch.tensor(numbers, device=fabric.device)
    return fabric.all_reduce(table, reduce_op="sum").flatten().tolist()
