"""Training runs: from parameters to an optimizer, a plan and a checkpoint, on every GPU that a stage may use."""

import argparse
import dataclasses
import hashlib
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import nn

from segsg.study.params import MaskOptimization, Params, load
from segsg.study.sets import processes
from segsg.training.checkpoint import EARLY, Checkpoint, save_history, save_state, save_weights
from segsg.training.loop import OPTIMIZERS, Plan, Source, constant, cosine, fit, precision, steps, warm
from segsg.training.processes import Together

WORK = Path("work")


def fingerprint(*depends_on) -> str:
    """One name for everything that a run depends on, so that a checkpoint of another run is never resumed."""
    text = json.dumps(depends_on, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def surroundings() -> list:
    """What a result depends on beside its inputs and its code: versions of PyTorch and Python, and threads."""
    return [torch.__version__, platform.python_version(), torch.get_num_threads()]


def _plain(value):
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else str(value)


def plan(numbers: MaskOptimization, seed: int, keep_early: bool = False) -> Plan:
    """How long and how fast to train, and whether weights are kept on the way."""
    rates = {"cosine": cosine(numbers.iterations), "steps": steps(numbers.steps), "constant": constant}
    warmed = warm(rates[numbers.schedule], numbers.warmup)
    return Plan(
        iterations=numbers.iterations,
        rate=warmed,
        clip_norm=numbers.clip_norm,
        seed=seed,
        checkpoint_every=numbers.checkpoint_every,
        keep_early=keep_early,
        memory=numbers.memory,
    )


def device() -> torch.device:
    """The device for prediction: the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fabric(numbers: MaskOptimization) -> Fabric:
    """Lightning Fabric, launched: on one device, or over all processes that torchrun started on all machines."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    runner = Fabric(
        accelerator=device().type,
        devices=local,
        num_nodes=processes() // local,
        precision=precision(numbers.precision),
        strategy=Together() if processes() > 1 else "auto",
    )
    runner.launch()
    return runner


def train(
    model: nn.Module,
    sources: dict[str, Source],
    *,
    numbers: MaskOptimization,
    key: str,
    seed: int,
    depends_on: list,
    out: Path,
    keep_early: bool = False,
) -> None:
    """Trains `model` and writes weights and learning curves to `out`; an interrupted call goes on where it was.

    `depends_on` is all else that decides the result: sections of the parameters, digests of files and code. With
    `keep_early` the weights after three quarters of the steps are written too.
    """
    optimizer = OPTIMIZERS[numbers.optimizer](model, numbers.learning_rate, numbers.weight_decay)
    checkpoint = Checkpoint(WORK / key, fingerprint(numbers, seed, depends_on, surroundings(), processes()))
    runner = fabric(numbers)
    progress = fit(
        model,
        sources,
        optimizer=optimizer,
        plan=plan(numbers, seed, keep_early),
        fabric=runner,
        checkpoint=checkpoint,
        label=key,
    )
    if runner.is_global_zero:
        save_weights(model, out)
        save_history(progress.rows, out)
        if progress.early is not None:
            save_state(progress.early, out / EARLY)
        checkpoint.remove()


Train = Callable[[Params, str, Path], None]
"""a public function of a module: (parameters, key of the row, folder of the result)"""


def on_every_gpu(train: Train, params: Params, key: str, out: Path) -> None:
    """Calls `train`, in as many processes as there are GPUs. Several read the parameters from params.yaml again.

    CalledProcessError if one of several processes fails; what it said stands above.
    """
    gpus = torch.cuda.device_count()
    if processes() > 1 or gpus <= 1:
        return train(params, key, out)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"]
    subprocess.run([*torchrun, "-m", __name__, train.__module__, train.__name__, key, str(out)], check=True)


def main(arguments: list[str] | None = None) -> None:
    """The command that torchrun starts in each process: calls a function of a module with params.yaml."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("module", "function", "key", "out"):
        parser.add_argument(name)
    options = parser.parse_args(arguments)
    train: Train = getattr(importlib.import_module(options.module), options.function)
    train(load(), options.key, Path(options.out))


if __name__ == "__main__":
    main()
