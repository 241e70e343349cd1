"""What a training leaves: a checkpoint from which the very same run goes on, and in the end weights and curves."""

import csv
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from segsg.files import DataError, check_seal, whole

Row = dict[str, int | float]
"""one step of a run: step, loss, and each part of the loss by name; no time, so that equal runs give equal files"""
State = dict[str, torch.Tensor]
"""weights by name"""


@dataclass
class Progress:
    """How far a run has come: its history, a row for each step done, and the weights that were kept on the way."""

    rows: list[Row] = field(default_factory=list)
    early: State | None = None
    """weights after the step at which the plan keeps them; None before it, or without such a step"""
    mean: State | None = None
    """the running mean of the weights; None before the first step, or where the plan has none"""

    @property
    def step(self) -> int:
        """Steps already done."""
        return len(self.rows)

    @torch.no_grad()
    def average(self, state: State, memory: float) -> None:
        """Takes the weights of this step into their mean, which keeps the share `memory` of what it was.

        It keeps less in the first steps, (1 + step) / (10 + step), so that it soon forgets the untrained network.
        """
        kept = min(memory, (1 + self.step) / (10 + self.step))
        if self.mean is None:
            self.mean = {name: value.detach().clone() for name, value in state.items()}
        for name, mean in self.mean.items():
            if mean.is_floating_point():
                mean.lerp_(state[name].to(mean.device), 1 - kept)


def trainable_state(model: nn.Module) -> State:
    """Weights of the model without those of a frozen detector inside it."""
    return {name: value for name, value in model.state_dict().items() if not name.startswith("detector.")}


def copied(state: State) -> State:
    """A copy of weights on the processor, which further steps do not change."""
    return {name: value.detach().cpu().clone() for name, value in state.items()}


def load_trainable(model: nn.Module, state: State) -> None:
    """The inverse of `trainable_state`. ValueError if `state` is of another model."""
    missing, unexpected = model.load_state_dict(state, strict=False)
    wrong = [name for name in missing if not name.startswith("detector.")] + unexpected
    if wrong:
        raise ValueError(f"weights are of another model: {', '.join(wrong[:5])}")


def check_finite(model: nn.Module) -> None:
    """ValueError names a weight that is not a finite number: it would make every later step and result worthless."""
    for name, value in trainable_state(model).items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"weights '{name}' are not all finite numbers; lower the learning rate, then start again")


@dataclass(frozen=True)
class Checkpoint:
    """`folder/last.pt`, valid for runs with the same `fingerprint` (of their parameters and inputs).

    The file is the SHA-256 of the rest in hexadecimal digits, a line break, and what PyTorch saves.
    """

    folder: Path
    fingerprint: str

    @property
    def path(self) -> Path:
        return self.folder / "last.pt"

    def save(self, progress: Progress, model: nn.Module, optimizer: Optimizer) -> None:
        """Replaces the last checkpoint whole, so an interruption never leaves a torn one.

        ValueError, and the last good checkpoint stays, if a weight is not a finite number.
        """
        check_finite(model)
        state = {"fingerprint": self.fingerprint} | vars(progress)
        content = io.BytesIO()
        torch.save(state | {"model": trainable_state(model), "optimizer": optimizer.state_dict()}, content)
        with whole(self.path) as part:
            part.write_bytes(_seal(content.getvalue()) + content.getvalue())

    def load(self, model: nn.Module, optimizer: Optimizer) -> Progress:
        """The progress of this very run; of one that starts, which it says, where the file is of another run."""
        if not self.path.exists():
            return Progress()
        content = self.path.read_bytes()
        seal, content = content[:SEAL], content[SEAL:]
        if seal != _seal(content):
            tqdm.write(f"{self.path} is damaged; this run starts from its first step")
            return Progress()
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if state["fingerprint"] != self.fingerprint:
            tqdm.write(f"{self.path} is of a run with other parameters or files; this one starts from its first step")
            return Progress()
        load_trainable(model, state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return Progress(state["rows"], state["early"], state["mean"])

    def remove(self) -> None:
        """For a finished run."""
        self.path.unlink(missing_ok=True)


def _seal(content: bytes) -> bytes:
    """What stands before the content of a checkpoint: its digest and a line break."""
    return f"{hashlib.sha256(content).hexdigest()}\n".encode()


SEAL = len(_seal(b""))
WEIGHTS, EARLY, HISTORY = "model.safetensors", "early.safetensors", "history.csv"


def save_weights(model: nn.Module, folder: Path) -> None:
    """`folder/model.safetensors`, without the weights of a frozen detector inside the model.

    ValueError if a weight is not a finite number.
    """
    check_finite(model)
    save_state(trainable_state(model), folder / WEIGHTS)


def save_state(state: State, path: Path) -> None:
    """Writes weights to a file, whole or not at all."""
    with whole(path) as part:
        save_file({name: value.contiguous().cpu() for name, value in state.items()}, part)


def load_weights(model: nn.Module, folder: Path, file: str = WEIGHTS) -> None:
    """The inverse of `save_weights`. ValueError if the file is missing, damaged or of another model."""
    path = folder / file
    try:
        check_seal(path)
        load_trainable(model, load_file(path))
    except DataError:
        raise
    except (OSError, SafetensorError, ValueError) as error:
        raise DataError(path, "weights", f"cannot be used ({error})", "run its stage with `segsg repro`") from error


def save_history(rows: list[Row], folder: Path) -> None:
    """`folder/history.csv`: a line per step; a loss that a step lacks is an empty cell."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["step", "loss"]
    with whole(folder / HISTORY) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
