"""A made-up photo and a model that was never trained, as the exploring notebook sees them."""

import numpy as np
import torch
from scenes import CLASSES, PREDICATES, SIDE, FixedDetector, box_extractor, make, materials

from segsg.data.words import Vocabulary
from segsg.evaluation.matching import rank
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.records import Prediction, Truth
from segsg.figures.seen import Experiment, Seen, answers
from segsg.grounding.edges import GaussianSmoothing, PairMasks, UnionFrame, product
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.segmenter import MixedClasses, Segmenter
from segsg.models.registry import context_of
from segsg.models.scene_graph import PairSampler, SceneGraphModel
from segsg.structures import Sample
from segsg.study.facts import Facts
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

PARAMS = read_section(Params, resolve("mini"), "test")
NAMES = Vocabulary(("cat", "cup", "hat", "box", "man"), ("on", "in", "near", "at"))
MASKS = ("dog", "bowl", "tray")
TRANSFER = torch.tensor([[1.0, 0, 0], [0, 0.75, 0.25], [0, 0, 0], [0.2, 0.3, 0.5], [0, 0, 1]])
LABELS = np.array([1, 2, 5])
PAIRS = np.array([[0, 1], [1, 0], [2, 1]])
FACTS = Facts(
    NAMES,
    MASKS,
    name_pairs={},
    drawn_as={},
    vectors=torch.zeros(5, 7),
    mask_vectors=torch.zeros(3, 7),
    counts=torch.ones(CLASSES, CLASSES, PREDICATES, dtype=torch.long),
    zero_shot=torch.zeros(0, 3, dtype=torch.long),
)


def extractor(segmenter=None, edges=None):
    boxes = box_extractor(12, 10, masks=2)
    edges = edges or PairMasks(GaussianSmoothing(CLASSES, 7), UnionFrame(), product, False)
    return GroundedExtractor(boxes, segmenter or Segmenter(TRANSFER), MixedClasses(CLASSES, 2), edges)


def experiment(key="seg", encoder=None):
    model = SceneGraphModel(
        detector=FixedDetector(LOOK),
        extractor=encoder or extractor(),
        context=context_of("motifs")(materials(True, counts=FACTS.counts)),
        task="predcls",
        sampler=PairSampler(8, 0.5),
    )
    return Experiment(PARAMS, key, model, [], FACTS)


LOOK, BATCH = make([3])
BOXES = BATCH.boxes[0].numpy()


def seen(probabilities, key="seg", encoder=None, relations=((0, 1, 1), (2, 1, 3))):
    """Rows of `probabilities` are those of PAIRS."""
    truth = Truth(BOXES, LABELS, np.array(relations))
    scores = np.array([1, 0.5, 1], dtype=np.float32)
    prediction = Prediction(BOXES, LABELS, scores, PAIRS, np.array(probabilities, dtype=np.float32))
    image = torch.arange(3 * SIDE * SIDE).reshape(3, SIDE, SIDE).to(torch.uint8)
    sample = Sample(7, image, BATCH.boxes[0], torch.as_tensor(LABELS), torch.tensor(relations))
    found = answers(truth, prediction, rank(prediction, 20)[0], zero_shot=np.array([[1, 1, 2]]), protocol=DEFAULT)
    return Seen(experiment(key, encoder), sample, LOOK, truth, prediction, found, None)


RIGHT = seen([[0, 0.5, 0.1, 0.1, 0.1], [0, 0.1, 0.1, 0.3, 0.1], [0, 0.1, 0.1, 0.9, 0.1]])
HALF = seen([[0, 0.1, 0.6, 0.1, 0.1], [0, 0.1, 0.1, 0.8, 0.1], [0, 0.1, 0.1, 0.7, 0.1]], key="base")
