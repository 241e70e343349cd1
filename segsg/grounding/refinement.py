"""Refinement: masks that know the objects around them (eq. 8, 9).

Mask-set images pass the same node encoder and object context as scene-graph images, and train a residual for the
detector's mask logits. On scene-graph images that residual is added before transfer.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from segsg.detection.heads import CROP_SIDE, MaskHead, mask_loss, mask_targets
from segsg.models.extractor import Fusion
from segsg.models.scene_graph import SceneGraphModel, true_rows
from segsg.structures import Batch, Look, Mean


class MaskRefiner(nn.Module):
    """f_M' of eq. 8: a region's crop and what the object context says of it, to a residual of its mask logits.

    The last layer is zero, so that an untrained refiner changes nothing at all.
    """

    def __init__(self, *, channels: int, described: int, width: int, convolutions: int, mask_classes: int):
        super().__init__()
        self.crop = nn.Conv2d(channels, width, 3, padding=1)
        self.described = nn.Linear(described, width)
        self.head = MaskHead(width, width, convolutions, mask_classes)
        nn.init.zeros_(self.head.logits.weight)
        nn.init.zeros_(self.head.logits.bias)

    def forward(
        self, crops: Float[Tensor, "regions channels 14 14"], described: Float[Tensor, "regions described"]
    ) -> Float[Tensor, "regions mask_classes 28 28"]:
        """Residual of the mask logits of each region; each cell of a crop sees the region's whole description."""
        return self.head((self.crop(crops) + self.described(described)[:, :, None, None]).relu())


class MaskDomain(nn.Module):
    """The parts that refinement has for mask-set images alone, since their classes are not those of scene graphs.

    `segmenter` and `channels` give mask channels as they do for scene graphs, `fusion` takes these in, and `labels`
    has a vector for each mask class. `classes` is the number of scene-graph classes.
    """

    def __init__(self, *, segmenter: nn.Module, channels: nn.Module, fusion: Fusion, labels: nn.Module, classes: int):
        super().__init__()
        self.segmenter, self.channels, self.fusion, self.labels = segmenter, channels, fusion, labels
        self.classes = classes


class RefinedModel(SceneGraphModel):
    """A seg-grounded model that also refines masks, and predicts from refined ones. Losses see masks as they were.

    The extractor has to be a `GroundedExtractor`, and the context model has to `describe` regions.
    """

    def __init__(self, *, refiner: MaskRefiner, domain: MaskDomain, **slots):
        super().__init__(**slots)
        self.refiner, self.domain = refiner, domain

    def mask_losses(self, batch: Batch) -> dict[str, Mean]:
        """L^seg of eq. 11: cross-entropy of refined masks, in the channel of the true class of each matched region."""
        regions = self.mask_look(batch).regions
        images = [regions.image == image for image in range(len(batch))]
        truth = torch.full_like(regions.image, -1)
        for inside, true_boxes in zip(images, batch.boxes, strict=True):
            truth[inside] = true_rows(regions.boxes[inside], true_boxes)
        kept = truth >= 0
        labels = [labels[truth[inside & kept]] for inside, labels in zip(images, batch.labels, strict=True)]
        targets = mask_targets(batch, regions.boxes[kept], regions.image[kept], truth[kept])
        return {"refined_masks": mask_loss(regions.mask_logits[kept], torch.cat(labels) - 1, targets)}

    def look(self, batch: Batch) -> Look:
        """Look with refined mask logits (eq. 9); a first pass up to the object context sees the unrefined masks."""
        return self.refined(super().look(batch))

    def mask_look(self, batch: Batch) -> Look:
        """Look of mask-set images with refined mask logits (eq. 8)."""
        look = super().mask_look(batch)
        regions, domain = look.regions, self.domain
        masks = domain.channels(domain.segmenter(regions), regions)
        nodes = self.extractor.boxes.node_vectors(look, masks, domain.fusion)
        words = domain.labels(regions.class_probabilities)
        # Models that weigh pairs by scene-graph classes find no class here, hence no reason to prefer any pair.
        nameless = replace(regions, class_probabilities=regions.boxes.new_zeros(len(regions), domain.classes))
        return self._changed(look, self.context.describe(nodes, words, nameless))

    def refined(self, look: Look) -> Look:
        """`look` of scene-graph images with refined mask logits."""
        regions = look.regions
        words = self.context.soft_labels(regions.class_probabilities)
        return self._changed(look, self.context.describe(self.extractor.nodes(look), words, regions))

    def _changed(self, look: Look, described: Float[Tensor, "regions described"]) -> Look:
        residual = self.refiner(look.region_crops(CROP_SIDE), described)
        return replace(look, regions=replace(look.regions, mask_logits=look.regions.mask_logits + residual))


class RefinedInTraining(RefinedModel):
    """Losses see refined masks too, so that a model is trained on what it will predict from.

    They do not train the refiner: masks should be right, not convenient.
    """

    def training_look(self, batch: Batch) -> Look:
        with torch.no_grad():
            return self.look(batch)
