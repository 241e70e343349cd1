"""The binary trees of a batch, level by level, as index tensors for networks that run through them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.kernels.trees import NONE, binary_form, grow


@dataclass(frozen=True)
class Forest:
    """One binary tree per image; level 0 holds all roots, and every child is one level below its parent.

    Of each level: `levels` are its regions, `parents` the places of their parents in the level above (0 for roots),
    `left` and `right` the places of their children in the level below; a missing child has the place after the last.
    `inverse` undoes the concatenation of all levels.
    """

    levels: list[Int[Tensor, "_"]]
    parents: list[Int[Tensor, "_"]]
    left: list[Int[Tensor, "_"]]
    right: list[Int[Tensor, "_"]]
    inverse: Int[Tensor, "regions"]

    @classmethod
    def grown(cls, scores: Float[Tensor, "images n n"], counts: Int[Tensor, "images"]) -> "Forest":
        """Trees from scores as in `trees.grow`; regions are numbered through the images, padding left out."""
        sizes = counts.cpu().numpy()
        parents, turns = grow(scores.detach().float().cpu().numpy(), sizes)
        inside = np.arange(parents.shape[1]) < sizes[:, None]
        start = (sizes.cumsum() - sizes)[:, None]
        left, right = (np.where(child == NONE, NONE, child + start)[inside] for child in binary_form(parents, turns))
        return cls.of(left, right, np.flatnonzero(parents[inside] == NONE), scores.device)

    @classmethod
    def of(cls, left: np.ndarray, right: np.ndarray, roots: np.ndarray, device: torch.device | str) -> "Forest":
        """Levels from the children of each region, NONE where there is none, and the roots. One copy to `device`."""
        rows, level, parents = [], roots, np.zeros_like(roots)
        while len(level):
            children = np.stack([left[level], right[level]])
            exists = children != NONE
            places = np.where(exists, exists.cumsum().reshape(2, -1) - 1, exists.sum())
            rows.append(np.stack([level, parents, *places]))
            level, parents = children[exists], exists.nonzero()[1]
        table = torch.from_numpy(np.concatenate([np.zeros((4, 0), dtype=np.int64), *rows], axis=1)).to(device)
        sizes = [row.shape[1] for row in rows]
        return cls(*(list(row.split(sizes)) if sizes else [] for row in table), table[0].argsort())
