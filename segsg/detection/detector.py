"""Stage 1: one detector for two data sets (eq. 10).

Backbone, proposals and box head are shared. Each data set, "graph" or "mask", has a predictor of its own classes on
top of the box head; the mask set also trains a mask head. Without mask classes the same detector is the baseline."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn

from segsg.detection.backbones import Backbone
from segsg.detection.heads import (
    BOX_SIDE,
    CROP_SIDE,
    MASK_BOXES,
    BoxPredictor,
    Detections,
    MaskHead,
    box_head,
    box_losses,
    mask_loss,
    mask_targets,
    one_per_proposal,
)
from segsg.detection.proposals import (
    DetectionNumbers,
    Proposals,
    ProposalSampler,
    Samples,
    given_regions,
    matched_labels,
)
from segsg.kernels.masks import paste
from segsg.kernels.roi_align import pyramid_roi_align
from segsg.structures import Batch, Domain, Look, Mean, Regions, Task, image_index, one_hot

MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """`module` in eval mode and without gradients, whatever mode the training loop left it in."""
    mode = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(mode)


class Detector(nn.Module):
    """`classes` and the classes of the mask predictor count background; `mask_classes`, channels, do not."""

    def __init__(self, backbone: Backbone, classes: int, mask_classes: int | None, numbers: DetectionNumbers):
        super().__init__()
        self.record = backbone
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)
        self.backbone = backbone.build()
        self.proposals = Proposals(backbone, numbers)
        self.sampler = ProposalSampler(numbers.box_batch, numbers.box_positive_fraction)
        self.box_head = box_head(backbone.channels, backbone.dense, backbone.dropout)
        self.predictors = nn.ModuleDict({"graph": BoxPredictor(backbone.dense, classes, backbone.class_boxes)})
        self.detections = Detections(numbers.score_threshold, numbers.nms_threshold, numbers.detections)
        self.regions = numbers.regions
        self.mask_head = None
        if mask_classes is not None:
            self.predictors["mask"] = BoxPredictor(backbone.dense, mask_classes + 1, backbone.class_boxes)
            self.mask_head = MaskHead(backbone.channels, backbone.mask_width, backbone.mask_convolutions, mask_classes)
        self.to(memory_format=torch.channels_last)

    @property
    def channels(self) -> int:
        """Channels of every feature map."""
        return self.record.channels

    def losses(self, batch: Batch) -> dict[str, Mean]:
        """`objectness`, `proposal_box`, `class` and `box` of a scene-graph batch."""
        return self._box_losses(batch, "graph", batch.generators())[0]

    def mask_losses(self, batch: Batch) -> dict[str, Mean]:
        """Losses of a mask-set batch: those of `losses`, prefixed `mask_`, and `mask`, the cross-entropy of eq. 10."""
        generators = batch.generators()
        losses, levels, samples = self._box_losses(batch, "mask", generators)
        boxes, image, truth = MASK_BOXES[self.record.mask_boxes](batch, samples, generators)
        logits = self.mask_head(self._crops(levels, boxes, image, CROP_SIDE))
        labels = torch.cat([of[truth[image == i]] for i, of in enumerate(batch.labels)])
        named = {f"mask_{key}": value for key, value in losses.items()}
        return named | {"mask": mask_loss(logits, labels - 1, mask_targets(batch, boxes, image, truth))}

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """Feature maps and regions of a batch, without gradients.

        PredCls and SGCls take the regions of the batch; class probabilities are the truth or the box head's. SGDet
        detects them: per-class NMS, at most one region per proposal, clipped to the image; class probabilities are
        the box head's at the proposal, labels those of the true region with the highest IoU, if that is >= 0.5.
        Without `masks` regions have no mask logits.
        """
        with frozen(self):
            levels = self.features(batch.images)
            regions = self._regions(levels, batch, task, domain)
            logits = self._mask_logits(levels, regions) if masks else None
        return Look(levels, replace(regions, mask_logits=logits), self.record.strides, self.record.cells)

    def detect(self, batch: Batch, domain: Domain = "graph") -> list[dict[str, Tensor]]:
        """Detections of each image: `boxes_original`, `labels`, `scores`, best first.

        Of the domain "mask" also `masks`: bool, in the frame of the original photo, from the label's channel.
        """
        with frozen(self):
            levels = self.features(batch.images)
            found = self._detected(levels, batch, domain)
            images = [_detection(batch, i, detections) for i, detections in enumerate(found)]
            if domain == "mask":
                for i, (image, size) in enumerate(zip(images, batch.photo_sizes or batch.sizes, strict=True)):
                    probabilities = self._label_masks(levels, found[i][0], image["labels"], i)
                    image["masks"] = paste(probabilities, image["boxes_original"], size)
            return images

    def features(self, images: Tensor) -> list[Tensor]:
        """uint8 images -> float32 feature maps, finest first."""
        x = ((images - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        return [level.float() for level in self.backbone(x)]

    def _crops(self, levels: list[Tensor], boxes: Tensor, image: Tensor, side: int) -> Tensor:
        return pyramid_roi_align(levels, boxes, image, self.record.strides, side, self.record.cells)

    def _predict(self, levels: list[Tensor], boxes: Tensor, image: Tensor, domain: Domain) -> tuple[Tensor, Tensor]:
        return self.predictors[domain](self.box_head(self._crops(levels, boxes, image, BOX_SIDE)))

    def _box_losses(
        self, batch: Batch, domain: Domain, generators: list[Generator]
    ) -> tuple[dict[str, Mean], list[Tensor], Samples]:
        levels, drawn = self.features(batch.images), {"true_boxes": batch.boxes, "generators": generators}
        proposals, losses = self.proposals(batch.images, levels, batch.sizes, **drawn)
        samples = self.sampler(proposals, batch, generators)
        logits, deltas = self._predict(levels, samples.boxes, samples.image, domain)
        return losses | box_losses(logits, deltas, samples), levels, samples

    def _regions(self, levels: list[Tensor], batch: Batch, task: Task, domain: Domain) -> Regions:
        if task == "sgdet":
            return self._detected_regions(levels, batch, domain)
        boxes, image, labels = given_regions(batch)
        if task == "predcls":
            probabilities = one_hot(labels, self.predictors[domain].classes.out_features)
        else:
            probabilities = self._predict(levels, boxes, image, domain)[0].softmax(1)
        return Regions(boxes, image, labels, probabilities, batch.sizes)

    def _detected_regions(self, levels: list[Tensor], batch: Batch, domain: Domain) -> Regions:
        found = self._detected(levels, batch, domain)
        kept = [one_per_proposal(source)[: self.regions] for _, _, source, _ in found]
        boxes = [boxes[k] for (boxes, _, _, _), k in zip(found, kept, strict=True)]
        probabilities = [p[source[k]] for (_, _, source, p), k in zip(found, kept, strict=True)]
        labels = [matched_labels(*pair) for pair in zip(boxes, batch.boxes, batch.labels, strict=True)]
        image = image_index([len(k) for k in kept], boxes[0].device)
        return Regions(torch.cat(boxes), image, torch.cat(labels), torch.cat(probabilities), batch.sizes)

    def _detected(self, levels: list[Tensor], batch: Batch, domain: Domain) -> list[tuple[Tensor, ...]]:
        """(boxes, labels, proposal, class probabilities of all proposals) of each image."""
        proposals, _ = self.proposals(batch.images, levels, batch.sizes)
        counts = [len(boxes) for boxes in proposals]
        image = image_index(counts, levels[0].device)
        logits, deltas = self._predict(levels, torch.cat(proposals), image, domain)
        answers = zip(logits.softmax(1).split(counts), deltas.split(counts), proposals, batch.sizes, strict=True)
        return [(*self.detections(*answer), answer[0]) for answer in answers]

    def _mask_logits(self, levels: list[Tensor], regions: Regions) -> Tensor | None:
        if self.mask_head is None:
            return None
        return self.mask_head(self._crops(levels, regions.boxes, regions.image, CROP_SIDE))

    def _label_masks(self, levels: list[Tensor], boxes: Tensor, labels: Tensor, i: int) -> Tensor:
        """Mask probabilities of detections in image `i` of a batch, each from its label's channel."""
        logits = self.mask_head(self._crops(levels, boxes, torch.full_like(labels, i), CROP_SIDE))
        return logits[torch.arange(len(labels), device=labels.device), labels - 1].sigmoid()


def _detection(batch: Batch, i: int, detections: tuple[Tensor, ...]) -> dict[str, Tensor]:
    boxes, labels, source, probabilities = detections
    return {"boxes_original": boxes / batch.scales[i], "labels": labels, "scores": probabilities[source, labels]}
