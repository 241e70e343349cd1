"""Starting a paper-size detector from a classifier trained on ImageNet.

The released code starts its ResNeXt detector from Detectron2's COCO weights instead, which torchvision does not have.
"""

from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import get_weight

from segsg.detection.detector import Detector


def read_weights(source: str) -> dict[str, Tensor]:
    """State dict of one of torchvision's classifiers.

    `source` is a file (.pth with nothing but tensors) or the name of torchvision's own weights, which it downloads:
    "VGG16_Weights.IMAGENET1K_V1", "ResNeXt101_32X8D_Weights.IMAGENET1K_V2". ValueError if it is neither.
    """
    if Path(source).exists():
        return torch.load(source, map_location="cpu", weights_only=True)
    try:
        return get_weight(source).get_state_dict(progress=False, check_hash=True, weights_only=True)
    except ValueError as error:
        raise ValueError(f"{source}: neither a file nor weights that torchvision knows ({error})") from error


def start_from(detector: Detector, weights: dict[str, Tensor]) -> None:
    """Copies all that `weights` and `detector` share: the convolutions, for VGG-16 also its two dense layers.

    ValueError if the weights are not of the detector's kind of network, or not all numbers: torchvision's
    VGG16_Weights.IMAGENET1K_FEATURES has none in its dense layers.
    """
    places = detector.record.pretrained
    renamed = {
        place + name.removeprefix(prefix): value
        for name, value in weights.items()
        for prefix, place in places.items()
        if name.startswith(prefix)
    }
    inner = detector.backbone.state_dict(prefix="backbone.")
    wanted = {name for name in inner if name.startswith(tuple(places.values()))}
    if missing := sorted(wanted - renamed.keys()) or (not places and ["any part"]):
        raise ValueError(f"the weights lack {missing[0]}; give those of torchvision's network of the same kind")
    if wrong := sorted(name for name, value in renamed.items() if not value.isfinite().all()):
        raise ValueError(f"the weights of {wrong[0]} are not all finite; take weights of a whole classifier (…_V1)")
    detector.load_state_dict(renamed, strict=False)
