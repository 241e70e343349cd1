"""Weights that a detector starts from: torchvision's classifiers, or Mask R-CNN of detectron2 or maskrcnn-benchmark.

Each of these has names of its own for the same layers. Rules say which of them is which of ours, and what has to be
changed: the order of colours and of classes.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import get_weight

from segsg.detection.backbones import Backbone
from segsg.detection.detector import DEVIATION, Detector
from segsg.detection.pickles import read_pickle
from segsg.files import DAMAGED, DataError, is_plain, read_torch

Change = Callable[[Tensor], Tensor]


def as_it_is(value: Tensor) -> Tensor:
    return value


def for_rgb(kernels: Tensor) -> Tensor:
    """Kernels `[out, 3, h, w]` of BGR images, for RGB ones."""
    return kernels.flip(1)


def for_normalised_rgb(kernels: Tensor) -> Tensor:
    """Kernels of BGR images less their mean, for RGB ones that are also divided by their deviation.

    The two means differ by less than one level of 255, which is left as it is.
    """
    return for_rgb(kernels) * kernels.new_tensor(DEVIATION).view(3, 1, 1)


def background_first(classes: Tensor) -> Tensor:
    """Rows of classes, background last, with background in front."""
    return classes.roll(1, 0)


def with_background(deltas: Tensor) -> Tensor:
    """Four rows for each class, with four of zeros for background in front."""
    return torch.cat([deltas.new_zeros(4, *deltas.shape[1:]), deltas])


def without_background(classes: Tensor) -> Tensor:
    """Rows of classes, without the first."""
    return classes[1:]


@dataclass(frozen=True)
class Rule:
    """Tensors of one kind: their names, where {words} stand for parts, our names with the same parts, and a change.

    {rest} may have points; other parts have none.
    """

    theirs: str
    ours: str
    change: Change = as_it_is

    def place(self, name: str) -> str | None:
        """Our name of the tensor called `name`, if the rule is about it."""
        pattern = re.sub(r"\\\{(\w+)\\\}", _group, re.escape(self.theirs))
        match = re.fullmatch(pattern, name)
        return match and self.ours.format(**match.groupdict())


def _group(word: re.Match) -> str:
    return f"(?P<{word[1]}>{'.+' if word[1] == 'rest' else r'[^.]+'})"


STAGES = range(4)
MASK_CONVOLUTIONS = range(4)
HEAD, MASK = "proposals.network.head", "predictors.mask"
DETECTRON2 = (
    Rule("backbone.bottom_up.stem.conv1.weight", "backbone.stem.conv1.weight", for_rgb),
    Rule("backbone.bottom_up.stem.conv1.norm.{part}", "backbone.stem.bn1.{part}"),
    *(
        Rule(f"backbone.bottom_up.res{i + 2}.{{block}}.{theirs}", f"backbone.stages.{i}.{{block}}.{ours}")
        for i in STAGES
        for theirs, ours in (
            ("conv{k}.weight", "conv{k}.weight"),
            ("conv{k}.norm.{part}", "bn{k}.{part}"),
            ("shortcut.weight", "downsample.0.weight"),
            ("shortcut.norm.{part}", "downsample.1.{part}"),
        )
    ),
    *(Rule(f"backbone.fpn_lateral{i + 2}.{{part}}", f"backbone.pyramid.inner_blocks.{i}.0.{{part}}") for i in STAGES),
    *(Rule(f"backbone.fpn_output{i + 2}.{{part}}", f"backbone.pyramid.layer_blocks.{i}.0.{{part}}") for i in STAGES),
    Rule("proposal_generator.rpn_head.conv.{part}", f"{HEAD}.conv.0.0.{{part}}"),
    Rule("proposal_generator.rpn_head.objectness_logits.{part}", f"{HEAD}.cls_logits.{{part}}"),
    Rule("proposal_generator.rpn_head.anchor_deltas.{part}", f"{HEAD}.bbox_pred.{{part}}"),
    Rule("roi_heads.box_head.fc1.{part}", "box_head.1.{part}"),
    Rule("roi_heads.box_head.fc2.{part}", "box_head.4.{part}"),
    Rule("roi_heads.box_predictor.cls_score.{part}", f"{MASK}.classes.{{part}}", background_first),
    Rule("roi_heads.box_predictor.bbox_pred.{part}", f"{MASK}.boxes.{{part}}", with_background),
    *(
        Rule(f"roi_heads.mask_head.mask_fcn{i + 1}.{{part}}", f"mask_head.layers.{2 * i}.{{part}}")
        for i in MASK_CONVOLUTIONS
    ),
    Rule("roi_heads.mask_head.deconv.{part}", f"mask_head.layers.{2 * len(MASK_CONVOLUTIONS)}.{{part}}"),
    Rule("roi_heads.mask_head.predictor.{part}", "mask_head.logits.{part}"),
)
MASKRCNN_BENCHMARK = (
    Rule("backbone.body.stem.conv1.weight", "backbone.stem.conv1.weight", for_normalised_rgb),
    Rule("backbone.body.stem.{rest}", "backbone.stem.{rest}"),
    *(Rule(f"backbone.body.layer{i + 1}.{{rest}}", f"backbone.stages.{i}.{{rest}}") for i in STAGES),
    *(Rule(f"backbone.fpn.fpn_inner{i + 1}.{{part}}", f"backbone.pyramid.inner_blocks.{i}.0.{{part}}") for i in STAGES),
    *(Rule(f"backbone.fpn.fpn_layer{i + 1}.{{part}}", f"backbone.pyramid.layer_blocks.{i}.0.{{part}}") for i in STAGES),
    Rule("rpn.head.conv.{part}", f"{HEAD}.conv.0.0.{{part}}"),
    Rule("rpn.head.cls_logits.{part}", f"{HEAD}.cls_logits.{{part}}"),
    Rule("rpn.head.bbox_pred.{part}", f"{HEAD}.bbox_pred.{{part}}"),
    Rule("roi_heads.box.feature_extractor.fc6.{part}", "box_head.1.{part}"),
    Rule("roi_heads.box.feature_extractor.fc7.{part}", "box_head.4.{part}"),
    Rule("roi_heads.box.predictor.cls_score.{part}", f"{MASK}.classes.{{part}}"),
    Rule("roi_heads.box.predictor.bbox_pred.{part}", f"{MASK}.boxes.{{part}}"),
    *(
        Rule(f"roi_heads.mask.feature_extractor.mask_fcn{i + 1}.{{part}}", f"mask_head.layers.{2 * i}.{{part}}")
        for i in MASK_CONVOLUTIONS
    ),
    Rule("roi_heads.mask.predictor.conv5_mask.{part}", f"mask_head.layers.{2 * len(MASK_CONVOLUTIONS)}.{{part}}"),
    Rule("roi_heads.mask.predictor.mask_fcn_logits.{part}", "mask_head.logits.{part}", without_background),
)
WRAPPED = "module."
"""what names of a network that several processes trained begin with"""
OF_CLASSES = (f"{MASK}.", "mask_head.logits.")
"""parts that fit only a mask set of as many classes as the weights were trained on"""


def rules(backbone: Backbone) -> tuple[Rule, ...]:
    """All rules for a detector on this backbone: torchvision's own and those of the two Mask R-CNNs."""
    own = (Rule(f"{theirs}{{rest}}", f"{ours}{{rest}}") for theirs, ours in backbone.pretrained.items())
    return (*own, *DETECTRON2, *MASKRCNN_BENCHMARK)


@dataclass(frozen=True)
class Start:
    """What of some weights is a detector's, and what is not."""

    source: str
    matched: dict[str, Tensor]
    """our names -> what they start from"""
    missing: list[str]
    """ours that start anew"""
    unexpected: list[str]
    """theirs that are left out"""

    def __str__(self) -> str:
        matched = f"{self.source}: {len(self.matched)} tensors of the detector start from it"
        return f"{matched}\nmissing, start anew: {_in_short(self.missing)}\nunexpected: {_in_short(self.unexpected)}"


MOST_NAMED = 6


def _in_short(names: Iterable[str]) -> str:
    """The first few modules among the names of tensors."""
    modules = list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))
    more = [f"and {len(modules) - MOST_NAMED} more"] if len(modules) > MOST_NAMED else []
    return ", ".join(modules[:MOST_NAMED] + more) or "none"


def matched(detector: Detector, weights: dict[str, Tensor], source: str) -> Start:
    """What of `weights`, read from `source`, the detector starts from.

    Parts of the mask set's classes are left out where the detector has none, or another number of them. ValueError if
    nothing fits, if a tensor of another part has another shape, or if a part that torchvision's classifier has is
    missing.
    """
    own = _counted_out(detector.state_dict())
    table, found, unexpected = rules(detector.record), {}, []
    for name, value in _counted_out(weights).items():
        rule, place = _first(table, name.removeprefix(WRAPPED))
        if rule is None or place not in own:
            unexpected.append(name)
        elif (changed := _changed(rule, value, own[place].shape)) is not None:
            found[place] = changed
        elif place.startswith(OF_CLASSES):
            unexpected.append(name)
        else:
            shapes = f"{name} has shape {list(value.shape)}, and the detector's {place} {list(own[place].shape)}"
            raise ValueError(f"{source}: {shapes}; give weights of a network of the same kind and size")
    if not found:
        some = f"none of its {len(weights)} tensors is named as in torchvision's network of the same kind, "
        way_out = "give weights of one of them, or take the backbone out of `pretrained`"
        raise ValueError(f"{source}: {some}detectron2's Mask R-CNN or maskrcnn-benchmark's; {way_out}")
    missing = [name for name in own if name not in found]
    body = tuple(place for place in detector.record.pretrained.values() if place.startswith("backbone."))
    if lost := [name for name in missing if name.startswith(body)]:
        raise ValueError(f"{source}: the weights lack {lost[0]}; give those of a whole network of the same kind")
    return Start(source, found, missing, unexpected)


def _counted_out(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the steps that norms have counted, which are no weights, and which frozen norms have not."""
    return {name: value for name, value in tensors.items() if not name.endswith(".num_batches_tracked")}


def _changed(rule: Rule, value: Tensor, shape: torch.Size) -> Tensor | None:
    """What the rule makes of `value`, if it has this shape. A change adds or drops nothing but rows."""
    if value.ndim != len(shape) or value.shape[1:] != shape[1:]:
        return None
    changed = rule.change(value)
    return changed if changed.shape == shape else None


def _first(table: Iterable[Rule], name: str) -> tuple[Rule | None, str]:
    return next(((rule, place) for rule in table if (place := rule.place(name))), (None, ""))


def start_from(detector: Detector, source: str) -> Start:
    """Copies into the detector all that fits of the weights `source`, see `read_weights`, and says what that was.

    ValueError if nothing fits, see `matched`, or not all of it are numbers: torchvision's
    VGG16_Weights.IMAGENET1K_FEATURES has none in its dense layers.
    """
    start = matched(detector, read_weights(source), source)
    for name, value in start.matched.items():
        if not (value.is_floating_point() and value.isfinite().all()):
            rule = f"the weights of {name} are not all finite numbers"
            raise ValueError(f"{source}: {rule}; take weights of a whole network (of torchvision's VGG-16, …_V1)")
    detector.load_state_dict(start.matched, strict=False)
    return start


def read_weights(source: str) -> dict[str, Tensor]:
    """Tensors by name.

    `source` is a file, or torchvision's name of weights of its own, which it downloads:
    "VGG16_Weights.IMAGENET1K_V1", "ResNeXt101_32X8D_Weights.IMAGENET1K_V2". A file is detectron2's (.pkl) or one of
    torch.save; the tensors may be in an entry "model". ValueError if it is neither; no code of a file is run.
    """
    path = Path(source)
    if path.is_file():
        return _tensors(path, read_pickle(path) if path.suffix == ".pkl" else _saved(path))
    if not is_torchvisions(source):
        raise ValueError(f"{source}: neither a file nor weights that torchvision knows; correct it in `pretrained`")
    return get_weight(source).get_state_dict(progress=False, check_hash=True, weights_only=True)


def is_torchvisions(source: str) -> bool:
    """Whether this is torchvision's name of weights of its own."""
    try:
        return bool(get_weight(source))
    except ValueError:
        return False


def _saved(path: Path) -> object:
    try:
        return read_torch(path)
    except DAMAGED as error:
        # The text of torch's error is several lines, and advises to run the file's code.
        rule = f"is not a whole file of tensors by torch.save ({type(error).__name__})"
        raise DataError(path, "file", rule, "save a dictionary of tensors alone, or name a .pkl file so") from error


def _tensors(path: Path, content: object) -> dict[str, Tensor]:
    named = content.get("model", content) if isinstance(content, dict) else None
    tensors = named.items() if isinstance(named, dict) else ()
    found = {name: value for name, value in tensors if isinstance(value, Tensor) and is_plain(value)}
    if not found or not all(isinstance(name, str) for name in found):
        raise DataError(path, "file", "has no tensors by name", "give a dictionary of tensors, or one in 'model'")
    return found
