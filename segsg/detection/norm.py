"""Batch normalisation over all images of a training step, wherever they are."""

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn


class BatchNorm(nn.BatchNorm2d):
    """PyTorch's layer, with the statistics of the batches of all processes in training; SyncBatchNorm needs GPUs.

    The processes' batches have to have one size, images and padding.
    """

    def forward(self, x: Float[Tensor, "images channels h w"]) -> Float[Tensor, "images channels h w"]:
        if not (self.training and distributed.is_initialized() and distributed.get_world_size() > 1):
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return self._over_processes(x.float()).to(x.dtype)

    def _over_processes(self, x: Tensor) -> Tensor:
        mean = _average(x.mean((0, 2, 3)))
        centred = x - mean.view(-1, 1, 1)
        variance = _average(centred.square().mean((0, 2, 3)))
        with torch.no_grad():
            count = distributed.get_world_size() * x.numel() / x.shape[1]
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return centred * scale.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


def _average(values: Float[Tensor, "channels"]) -> Float[Tensor, "channels"]:
    """The mean over all processes."""
    return Sum.apply(values) / distributed.get_world_size()


class Sum(torch.autograd.Function):
    """The sum over all processes. Each has a share in the loss, so the gradient is the sum of everybody's too."""

    @staticmethod
    def forward(ctx, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return Sum.forward(ctx, gradient)
