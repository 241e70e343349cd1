"""The one training loop: any model whose methods turn a batch into named losses.

Runs on whatever Lightning Fabric offers (CPU, one GPU, several); every step is a function of (seed, step) alone, so
a resumed run equals an uninterrupted one. Several processes make the step that one would make, but for dropout."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from tqdm.auto import tqdm

from segsg.structures import Batch, Mean, Source
from segsg.training.checkpoint import Checkpoint, Progress, Row, copied, load_trainable, trainable_state
from segsg.training.processes import add_gradients, gathered, padded_alike, whole_means

Rate = Callable[[int], float]
"""step, from 0 -> factor of the peak learning rate"""


def warm(rate: Rate, warmup: int) -> Rate:
    """`rate`, risen to linearly over the first `warmup` steps."""
    return lambda step: rate(step) * min(1.0, (step + 1) / max(warmup, 1))


def cosine(iterations: int) -> Rate:
    """Half a cosine from 1 to 0."""
    return lambda step: 0.5 * (1 + math.cos(math.pi * step / max(iterations, 1)))


def constant(step: int) -> float:
    """The peak learning rate at every step, for trainings that leave the mean of their weights."""
    return 1.0


def steps(milestones: list[int]) -> Rate:
    """A tenth of the rate after each milestone."""
    return lambda step: 0.1 ** sum(step >= milestone for milestone in milestones)


MOMENTUM = 0.9


def groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Trainable parameters in two groups: weights, which decay, and biases, norms and tables' scales, which do not."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]


def adamw(model: nn.Module, learning_rate: float, weight_decay: float) -> Optimizer:
    return AdamW(groups(model, weight_decay), lr=learning_rate, fused=True)


def sgd(model: nn.Module, learning_rate: float, weight_decay: float) -> Optimizer:
    return SGD(groups(model, weight_decay), lr=learning_rate, momentum=MOMENTUM)


OPTIMIZERS: dict[str, Callable[[nn.Module, float, float], torch.optim.Optimizer]] = {"adamw": adamw, "sgd": sgd}


SECONDS_BETWEEN_LINES = 10


@dataclass(frozen=True)
class Plan:
    """How long and how fast. `rate` is a factor of the optimizer's own learning rate."""

    iterations: int
    rate: Rate
    clip_norm: float
    seed: int
    checkpoint_every: int
    keep_early: bool = False
    """whether weights are also kept after three quarters of the steps, to see what the last quarter brings"""
    memory: float = 0.0
    """share of itself that a running mean of the weights keeps at each step; the mean is what training leaves"""

    @property
    def early(self) -> int | None:
        """The number of steps after which weights are kept."""
        return max(1, 3 * self.iterations // 4) if self.keep_early else None


def precision(wanted: str) -> str:
    """`wanted`, where "auto" is bfloat16 on GPUs that compute it natively and float32 elsewhere.

    Some processors announce bfloat16 and are slower in it, and a study on processors should not differ between them.
    """
    if wanted != "auto":
        return wanted
    return "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32-true"


def fit(
    model: nn.Module,
    sources: dict[str, Source],
    *,
    optimizer: Optimizer,
    plan: Plan,
    fabric: Fabric,
    checkpoint: Checkpoint,
    label: str,
) -> Progress:
    """Trains `model` in place; returns one row per step (step, and every loss, over all processes), and early weights.

    `sources` maps the name of a method of `model` to the batches it is called with at every step, e.g.
    {"losses": graph_batches, "mask_losses": mask_batches}; all their losses are summed with weight 1 (eq. 10, 11).
    Of n processes, process r takes every n-th batch from r on; n batches are one step.
    ValueError names a loss or a gradient that is not a finite number, and the images of its step.
    """
    fabric.setup_module(model)
    progress = checkpoint.load(model, optimizer)  # an optimizer's state goes where the parameters are by now
    start, rows = progress.step, progress.rows
    if len(set(gathered([start], fabric))) > 1:
        raise ValueError(f"{checkpoint.path}: some processes see another checkpoint; they must share this folder")
    for group in optimizer.param_groups:
        group.setdefault("peak", group["lr"])  # a resumed optimizer brings its own, and has a rate on the way down
    optimizer = fabric.setup_optimizers(optimizer)
    mine = range(start * fabric.world_size + fabric.global_rank, plan.iterations * fabric.world_size, fabric.world_size)
    batches = {method: iter(source(mine)) for method, source in sources.items()}
    model.train()
    bar = tqdm(
        range(start, plan.iterations),
        label,
        initial=start,
        total=plan.iterations,
        mininterval=SECONDS_BETWEEN_LINES,
        disable=not fabric.is_global_zero,
    )
    for step in bar:
        rows.append(_step(model, batches, optimizer, plan, fabric, step))
        bar.set_postfix_str(f"loss {rows[-1]['loss']:.3f}", refresh=False)
        if plan.memory:
            progress.average(trainable_state(model), plan.memory)
        if progress.step == plan.early:
            progress.early = copied(progress.mean or trainable_state(model))
        if progress.step % plan.checkpoint_every == 0 and progress.step < plan.iterations and fabric.is_global_zero:
            checkpoint.save(progress, model, optimizer)
    if progress.mean is not None:
        load_trainable(model, progress.mean)
    return progress


def _step(
    model: nn.Module, batches: dict[str, Iterator[Batch]], optimizer: Optimizer, plan: Plan, fabric: Fabric, step: int
) -> Row:
    torch.manual_seed(plan.seed * 1_000_003 + step * fabric.world_size + fabric.global_rank)  # for dropout
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * plan.rate(step)
    drawn = padded_alike({method: next(source) for method, source in batches.items()}, fabric)
    means: dict[str, Mean] = {}
    with fabric.autocast():
        for method, batch in drawn.items():
            means |= getattr(model, method)(batch.to(fabric.device))
    losses, counts = whole_means(means, fabric)
    optimizer.zero_grad(set_to_none=True)
    fabric.backward((torch.stack([mean.total for mean in means.values()]) / counts).sum())
    add_gradients([parameter for group in optimizer.param_groups for parameter in group["params"]], fabric)
    norm = fabric.clip_gradients(model, optimizer, max_norm=plan.clip_norm, error_if_nonfinite=False)
    values = dict(zip(means, losses.tolist(), strict=True))
    named = {f"loss '{name}'": loss for name, loss in values.items()} | {"the gradient": norm.item()}
    wrong = [name for name, value in named.items() if not math.isfinite(value)]
    if wrong:
        image_ids = [image_id for batch in drawn.values() for image_id in gathered(batch.image_ids, fabric)]
        raise ValueError(
            f"{wrong[0]} is {named[wrong[0]]} at step {step}, images {', '.join(map(str, image_ids))}; "
            "look at these images, or lower the learning rate or the precision"
        )
    optimizer.step()
    return {"step": step, "loss": sum(values.values())} | values
