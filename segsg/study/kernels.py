"""What a trained model smooths masks with (eq. 6)."""

import torch
from jaxtyping import Float
from torch import Tensor

from segsg.grounding.edges import GaussianSmoothing
from segsg.study import data, scene_graphs
from segsg.study.params import Params


def learned_kernels(params: Params, key: str) -> Float[Tensor, "classes side side"] | None:
    """The kernel of a region that certainly is of a class, class by class; None if the model has none of its own."""
    model = scene_graphs.load_model(params, key)
    found = [module for module in model.modules() if type(module) is GaussianSmoothing]
    if not found:
        return None
    classes = len(data.vocabulary(params).classes) + 1
    with torch.no_grad():
        return found[0].kernels(torch.eye(classes, device=next(model.parameters()).device))[1:].cpu()
