"""A run that was stopped goes on where it was, and only if it is still the same run."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

Row = dict[str, int | float]
"""one step of a run: step, seconds, loss, and each part of the loss by name"""


def trainable_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Weights of the model without those of a frozen detector inside it."""
    return {name: value for name, value in model.state_dict().items() if not name.startswith("detector.")}


def load_trainable(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """The inverse of `trainable_state`. ValueError if `state` is of another model."""
    missing, unexpected = model.load_state_dict(state, strict=False)
    wrong = [name for name in missing if not name.startswith("detector.")] + unexpected
    if wrong:
        raise ValueError(f"weights are of another model: {', '.join(wrong[:5])}; train again or use the right folder")


@dataclass(frozen=True)
class Checkpoint:
    """`folder/last.pt`, valid for runs with the same `fingerprint` (of their parameters and inputs)."""

    folder: Path
    fingerprint: str

    @property
    def path(self) -> Path:
        return self.folder / "last.pt"

    def save(self, step: int, model: nn.Module, optimizer: Optimizer, rows: list[Row]) -> None:
        """Replaces the last checkpoint whole, so an interruption never leaves a torn one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".part")
        state = {"fingerprint": self.fingerprint, "step": step, "rows": rows}
        torch.save(state | {"model": trainable_state(model), "optimizer": optimizer.state_dict()}, temporary)
        os.replace(temporary, self.path)

    def load(self, model: nn.Module, optimizer: Optimizer) -> tuple[int, list[Row]]:
        """Steps already done and their history; (0, []) without a checkpoint of this very run, and says so."""
        if not self.path.exists():
            return 0, []
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        if state["fingerprint"] != self.fingerprint:
            tqdm.write(f"{self.path} is of a run with other parameters or files; this one starts from its first step")
            return 0, []
        load_trainable(model, state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return state["step"], state["rows"]

    def remove(self) -> None:
        """For a finished run."""
        self.path.unlink(missing_ok=True)
