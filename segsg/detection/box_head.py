"""The second stage of the detector: which class is in a box, and how to move the box onto it."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms

from segsg.detection.proposals import BOX_CODER, Samples
from segsg.kernels.boxes import clip

BOX_SIDE = 7
"""cells along a side of the crop that the box head reads"""


def box_head(channels: int, dense: int, dropout: float) -> nn.Sequential:
    """[regions, channels, 7, 7] -> [regions, dense]: two dense layers, shared by all predictors."""
    first, second = nn.Linear(channels * BOX_SIDE**2, dense), nn.Linear(dense, dense)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), nn.Dropout(dropout), second, nn.ReLU(), nn.Dropout(dropout))


class BoxPredictor(nn.Module):
    """Class logits and box deltas of a region; `classes` counts background. Answers are float32."""

    def __init__(self, dense: int, classes: int, class_boxes: bool):
        super().__init__()
        self.classes = nn.Linear(dense, classes)
        self.boxes = nn.Linear(dense, 4 * (classes if class_boxes else 1))
        nn.init.normal_(self.classes.weight, std=0.01)
        nn.init.normal_(self.boxes.weight, std=0.001)
        nn.init.zeros_(self.classes.bias)
        nn.init.zeros_(self.boxes.bias)

    def forward(
        self, features: Float[Tensor, "regions dense"]
    ) -> tuple[Float[Tensor, "regions classes"], Float[Tensor, "regions classes 4"]]:
        """Deltas have as many rows per region as classes; where all classes share a regression the rows are equal."""
        logits = self.classes(features).float()
        deltas = self.boxes(features).float().unflatten(1, (-1, 4))
        return logits, deltas.expand(-1, logits.shape[1], -1)


def box_losses(
    logits: Float[Tensor, "regions classes"], deltas: Float[Tensor, "regions classes 4"], samples: Samples
) -> dict[str, Tensor]:
    """Cross-entropy of the class and L1 of the true class's deltas, both per sampled proposal."""
    positive = (samples.labels > 0).nonzero()[:, 0]
    moved = deltas[positive, samples.labels[positive]]
    distance = F.l1_loss(moved, samples.deltas[positive], reduction="sum")
    return {
        "class": F.cross_entropy(logits, samples.labels, reduction="sum") / max(1, len(logits)),
        "box": distance / max(1, len(logits)),
    }


class Detections(nn.Module):
    """From the box head's answers on an image's proposals to detections."""

    def __init__(self, score_threshold: float, nms_threshold: float, detections: int):
        super().__init__()
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold
        self.detections = detections

    def forward(
        self,
        probabilities: Float[Tensor, "regions classes"],
        deltas: Float[Tensor, "regions classes 4"],
        proposals: Float[Tensor, "regions 4"],
        size: tuple[int, int],
    ) -> tuple[Float[Tensor, "detections 4"], Int[Tensor, "detections"], Int[Tensor, "detections"]]:
        """(boxes, labels, index of the proposal) of the detections of one image of `size`, best first.

        Every class of every proposal is a candidate; those above the score threshold go through NMS per class.
        """
        source, label = (probabilities[:, 1:] > self.score_threshold).nonzero(as_tuple=True)
        label = label + 1
        boxes = clip(BOX_CODER.decode_single(deltas[source, label], proposals[source]).view(-1, 4), size)
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1)
        source, label, boxes = source[solid], label[solid], boxes[solid]
        kept = batched_nms(boxes, probabilities[source, label], label, self.nms_threshold)[: self.detections]
        return boxes[kept], label[kept], source[kept]


def one_per_proposal(source: Int[Tensor, "detections"]) -> Int[Tensor, "regions"]:
    """Indices of the first, hence best, detection of each proposal.

    A thing is one region of a scene graph, whatever the number of classes that the detector considers for it.
    """
    same = source[:, None] == source[None, :]
    return (~same.tril(-1).any(1)).nonzero()[:, 0]
