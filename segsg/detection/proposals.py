"""Regions as the tasks define them, proposals of the region proposal network, and those that the box head trains on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead

from segsg.detection.backbones import Backbone
from segsg.kernels.boxes import box_iou
from segsg.kernels.draws import balanced
from segsg.structures import Batch, Mean, image_index

MATCH_IOU = 0.5


def given_regions(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """(boxes, image, labels) of the true regions of a batch."""
    boxes = torch.cat(batch.boxes)
    return boxes, image_index([len(part) for part in batch.boxes], boxes.device), torch.cat(batch.labels)


def matched_labels(
    boxes: Float[Tensor, "regions 4"], true_boxes: Float[Tensor, "truths 4"], true_labels: Int[Tensor, "truths"]
) -> Int[Tensor, "regions"]:
    """Label of the true box with the highest IoU with each box, 0 where that is below 0.5 or there is none."""
    if len(true_boxes) == 0 or len(boxes) == 0:
        return torch.zeros(len(boxes), dtype=torch.long, device=boxes.device)
    overlap, best = box_iou(boxes, true_boxes).max(1)
    return torch.where(overlap >= MATCH_IOU, true_labels[best], 0)


RATIOS = (0.5, 1.0, 2.0)
RPN_NMS = 0.7
BOX_CODER = BoxCoder((10.0, 10.0, 5.0, 5.0))


@dataclass(frozen=True)
class DetectionNumbers:
    """What a detector is told about counts and thresholds, whatever its backbone; names as in torchvision."""

    rpn_pre_nms_train: int
    rpn_pre_nms_test: int
    rpn_post_nms_train: int
    rpn_post_nms_test: int
    rpn_batch: int
    box_batch: int
    box_positive_fraction: float
    score_threshold: float
    nms_threshold: float
    detections: int
    """most detections of an image"""
    regions: int
    """most of them that become regions of a scene graph in SGDet"""


class ProposalHead(RPNHead):
    """torchvision's head, whose answers are float32 even where it computes in half precision."""

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        logits, deltas = super().forward(x)
        return [level.float() for level in logits], [level.float() for level in deltas]


class ProposalNetwork(RegionProposalNetwork):
    """torchvision's network, whose losses are means that processes can share.

    A target is an image's true `boxes`, and the `generator` that the anchors to learn from are drawn with.
    """

    def assign_targets_to_anchors(
        self, anchors: list[Tensor], targets: list[dict]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """For each image (label, true box) of each anchor; the label is 1, 0, or -1 where the anchor is not drawn."""
        labels, boxes = super().assign_targets_to_anchors(anchors, targets)
        return [self._drawn(*pair) for pair in zip(labels, targets, strict=True)], boxes

    def compute_loss(
        self, objectness: Tensor, pred_bbox_deltas: Tensor, labels: list[Tensor], regression_targets: Sequence[Tensor]
    ) -> tuple[Mean, Mean]:
        """Binary cross-entropy of objectness, and smooth L1 of the deltas of positives, both per drawn anchor."""
        every, wanted = torch.cat(labels), torch.cat(regression_targets)
        drawn, positive = (every >= 0).nonzero()[:, 0], (every > 0).nonzero()[:, 0]
        logits = objectness.flatten()[drawn]
        surprise = F.binary_cross_entropy_with_logits(logits, every[drawn], reduction="sum")
        distance = F.smooth_l1_loss(pred_bbox_deltas[positive], wanted[positive], beta=1 / 9, reduction="sum")
        return Mean(surprise, len(drawn)), Mean(distance, len(drawn))

    def _drawn(self, labels: Tensor, target: dict) -> Tensor:
        sampler = self.fg_bg_sampler
        shares = {"count": sampler.batch_size_per_image, "positive_fraction": sampler.positive_fraction}
        places = balanced(labels, generator=target["generator"], **shares)
        drawn = torch.full_like(labels, -1)
        drawn[places] = labels[places]
        return drawn


class Proposals(torch.nn.Module):
    """The region proposal network on a backbone's levels, with torchvision's IoU 0.3 / 0.7 matching and 0.7 NMS."""

    def __init__(self, backbone: Backbone, numbers: DetectionNumbers):
        super().__init__()
        self.levels = len(backbone.anchors)
        self.network = ProposalNetwork(
            AnchorGenerator(backbone.anchors, (RATIOS,) * self.levels),
            ProposalHead(backbone.channels, len(backbone.anchors[0]) * len(RATIOS)),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=numbers.rpn_batch,
            positive_fraction=0.5,
            pre_nms_top_n={"training": numbers.rpn_pre_nms_train, "testing": numbers.rpn_pre_nms_test},
            post_nms_top_n={"training": numbers.rpn_post_nms_train, "testing": numbers.rpn_post_nms_test},
            nms_thresh=RPN_NMS,
        )

    def forward(
        self,
        images: Tensor,
        levels: list[Tensor],
        sizes: list[tuple[int, int]],
        *,
        true_boxes: list[Tensor] | None = None,
        generators: list[Generator] | None = None,
    ) -> tuple[list[Tensor], dict[str, Mean]]:
        """Proposals of each image, best first, and in training the two losses of the network.

        Training needs the true boxes of each image and the generator that its anchors are drawn with.
        """
        levels = list(levels)
        while len(levels) < self.levels:
            levels.append(F.max_pool2d(levels[-1], 1, 2))
        targets = None
        if true_boxes is not None:
            of_images = zip(true_boxes, generators, strict=True)
            targets = [{"boxes": boxes, "generator": generator} for boxes, generator in of_images]
        maps = {str(i): level for i, level in enumerate(levels)}
        proposals, losses = self.network(ImageList(images, sizes), maps, targets)
        names = {"loss_objectness": "objectness", "loss_rpn_box_reg": "proposal_box"}
        return proposals, {names[key]: value for key, value in losses.items()}


@dataclass(frozen=True)
class Samples:
    """Training proposals of a batch, image after image.

    `truth` is the index, within its own image, of the region that a proposal matches; meaningless where `labels` is 0.
    `deltas` is the regression from the proposal to that region.
    """

    boxes: Float[Tensor, "regions 4"]
    image: Int[Tensor, "regions"]
    labels: Int[Tensor, "regions"]
    truth: Int[Tensor, "regions"]
    deltas: Float[Tensor, "regions 4"]


class ProposalSampler:
    """Draws `batch` proposals of an image, at most `positive_fraction` of them on a region (IoU >= 0.5)."""

    def __init__(self, batch: int, positive_fraction: float):
        self.matcher = Matcher(0.5, 0.5, allow_low_quality_matches=False)
        self.shares = {"count": batch, "positive_fraction": positive_fraction}

    @torch.no_grad()
    def __call__(self, proposals: list[Tensor], batch: Batch, generators: list[Generator]) -> Samples:
        """Samples of each image of the batch, from its proposals and its true boxes, drawn with its generator."""
        of_images = zip(proposals, batch.boxes, batch.labels, generators, strict=True)
        drawn = [self._draw(*of_image) for of_image in of_images]
        boxes, labels, truth, deltas = (torch.cat(parts) for parts in zip(*drawn, strict=True))
        image = image_index([len(part[0]) for part in drawn], boxes.device)
        return Samples(boxes, image, labels, truth, deltas)

    def _draw(
        self, proposals: Tensor, true_boxes: Tensor, true_labels: Tensor, generator: Generator
    ) -> tuple[Tensor, ...]:
        # The true boxes are proposals too, so that the box head sees positives before the network proposes any.
        boxes = torch.cat([proposals, true_boxes])
        truth = self._match(true_boxes, boxes)
        labels = torch.zeros_like(truth)
        labels[truth >= 0] = true_labels[truth[truth >= 0]]
        kept = balanced(labels, generator=generator, **self.shares)
        boxes, labels, truth = boxes[kept], labels[kept], truth[kept].clamp(min=0)
        targets = true_boxes[truth] if len(true_boxes) else boxes
        return boxes, labels, truth, BOX_CODER.encode_single(targets, boxes)

    def _match(self, true_boxes: Tensor, boxes: Tensor) -> Tensor:
        if len(true_boxes) == 0 or len(boxes) == 0:
            return torch.full((len(boxes),), Matcher.BELOW_LOW_THRESHOLD, dtype=torch.long, device=boxes.device)
        return self.matcher(box_iou(true_boxes, boxes))
