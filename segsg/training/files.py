"""What a finished run leaves: weights and learning curves. Each file appears whole or not at all."""

import csv
import os
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from segsg.training.checkpoint import Row, load_trainable, trainable_state

WEIGHTS, HISTORY = "model.safetensors", "history.csv"


def save_weights(model: nn.Module, folder: Path) -> None:
    """`folder/model.safetensors`, without the weights of a frozen detector inside the model."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{WEIGHTS}.part"
    save_file({name: value.contiguous().cpu() for name, value in trainable_state(model).items()}, temporary)
    os.replace(temporary, folder / WEIGHTS)


def load_weights(model: nn.Module, folder: Path) -> None:
    """The inverse of `save_weights`. ValueError if the file is of another model."""
    load_trainable(model, load_file(folder / WEIGHTS))


def save_history(rows: list[Row], folder: Path) -> None:
    """`folder/history.csv`: a line per step; a loss that a step lacks is an empty cell."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{HISTORY}.part"
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["step", "seconds", "loss"]
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    os.replace(temporary, folder / HISTORY)
