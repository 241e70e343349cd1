"""A bundle: Facts, weights and what they are, as one folder; and from a photo to its scene graph with nothing else.

`load_bundle(FOLDER).predict(PHOTO)` needs no data set and no study. `segsg bundle` writes such a folder (`export`).
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from segsg.data.loading import collate, resize
from segsg.files import DataError, digest
from segsg.kernels.boxes import clip
from segsg.models.scene_graph import SceneGraphModel
from segsg.photos.answer import pair_regions, regions_of, surest
from segsg.photos.any_bundle import AnyBundle
from segsg.photos.folder import AGAIN, CARD, MANIFEST, SAMPLES, WEIGHTS, check_files, read_raw
from segsg.photos.found import Found
from segsg.photos.given import given_batch, given_to, with_regions
from segsg.photos.graph import UNCALIBRATED, Origin, PairRegion, PhotoGraph, Wanted
from segsg.photos.input import Pixels, sample
from segsg.photos.network import load_network
from segsg.structures import Batch, Look, Sample
from segsg.study.detectors import make_detector
from segsg.study.facts import NAMES, NUMBERS, Facts
from segsg.study.models import make_model
from segsg.study.params import DetectorRow, ExperimentRow, Grounding, Name, Numbers, Side, read_section
from segsg.study.rows import Row, make_row

FACTS = "facts"
READ = frozenset({WEIGHTS, CARD, f"{FACTS}/{NAMES}", f"{FACTS}/{NUMBERS}"})
"""names of all files beside the manifest and the samples"""
WARNINGS = {
    "drawn": "This model has only ever seen drawings of a small made-up world, never a photograph. Its answers about "
    "photographs show how the method works, and are not to be relied on."
}
PADDED_TO = 32
"""pixels; what `collate` rounds up to"""
DETECTED = "sgdet"


@dataclass(frozen=True)
class Manifest:
    """bundle.json: what the weights are of, how they came about, and which files lie beside it."""

    format: Literal["segsg-bundle"]
    version: int
    kind: Literal["study"]
    name: Name
    world: Literal["drawn", "photos"]
    """what the model was trained on"""
    licence: str
    trained: dict
    """how: numbers of images and steps, digests of the study's weights, test metrics"""
    experiment: ExperimentRow
    detector: DetectorRow
    grounding: Grounding
    """the study's section of that name, which `experiment` may change"""
    numbers: Numbers
    short_side: Side
    """pixels of a photo's shorter side as the detector sees it"""
    long_side: Side
    files: dict[str, str]
    """every other file of the folder and its SHA-256; names are relative, with slashes"""

    @property
    def row(self) -> Row:
        """The row of the study that the model is."""
        shared = {"detector": self.detector, "standard": self.grounding, "where": MANIFEST}
        return make_row(self.name, self.experiment, **shared)

    @property
    def warning(self) -> str | None:
        """The warning to print with each prediction of this bundle; None if there is nothing to warn of."""
        return WARNINGS.get(self.world)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a study's bundle whose files are all there and unchanged. DataError names what is not."""
    path, raw = folder / MANIFEST, read_raw(folder)
    try:
        manifest = read_section(Manifest, raw, str(path))
        manifest.row  # noqa: B018
    except ValueError as error:
        raise DataError(path, "contents", str(error).removeprefix(f"{path}: "), AGAIN) from error
    if (task := manifest.experiment.task) != DETECTED:
        raise DataError(path, "contents", f"experiment: task {task} finds no regions, only {DETECTED} does", AGAIN)
    check_files(folder, manifest.files, READ, _is_sample)
    return manifest


def _is_sample(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 2 and parts[0] == SAMPLES


def made(manifest: Manifest, known: Facts) -> SceneGraphModel:
    """The untrained model of a bundle."""
    detector = make_detector(known, manifest.numbers, manifest.detector)
    return make_model(known, manifest.numbers, manifest.row, detector)


def load_bundle(folder: Path | str, device: torch.device | str | None = None) -> "Bundle":
    """The bundle in a folder, on a GPU if there is one and `device` does not say otherwise.

    DataError, in one line with the way out, if anything in the folder is missing, changed or of another version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    return Bundle(folder, manifest, Facts.load(folder / FACTS), device)


class Bundle(AnyBundle):
    """A trained model and all that it needs to know."""

    tasks = ("predcls", "sgcls")

    def __init__(self, folder: Path, manifest: Manifest, known: Facts, device: torch.device | str | None):
        self.manifest, self.names = manifest, known.names
        super().__init__(Origin(manifest.name, manifest.warning, UNCALIBRATED), digest(folder / MANIFEST))
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._folder, self._known, self._models = folder, known, {}
        self._resize = partial(resize, short_side=manifest.short_side, long_side=manifest.long_side)
        self._network(DETECTED)

    def knows(self, name: str) -> bool:
        return name in self.names.classes

    def _found(self, photos: list[Pixels], wanted: Wanted) -> list[PhotoGraph]:
        """Photos of one size are computed together."""
        samples = [self._resize(sample(photo)) for photo in photos]
        return self._all(DETECTED, wanted, photos, samples, [None] * len(photos))

    def _related(self, photos: list[Pixels], found: list[Found], task: str, wanted: Wanted) -> list[PhotoGraph]:
        samples = []
        for photo, regions in zip(photos, found, strict=True):
            labels = [0 if task == "sgcls" else self.names.classes.index(name) + 1 for name in regions.names]
            samples.append(self._resize(with_regions(sample(photo), regions, labels)))
        return self._all(task, wanted, photos, samples, found)

    def _network(self, task: str) -> SceneGraphModel:
        """The model with which a task is answered: the same weights, without decoder where names are given."""
        if task not in self._models:
            asked = replace(self.manifest, experiment=replace(self.manifest.experiment, task=task))

            def make(device: str) -> SceneGraphModel:
                return made(asked, self._known.to(device))

            model = load_network(self._folder / WEIGHTS, make, also=task != DETECTED)
            self._models[task] = (model if task == DETECTED else given_to(model)).to(self.device)
        return self._models[task]

    def _all(
        self,
        task: str,
        wanted: Wanted,
        pixels: list[Pixels],
        samples: list[Sample],
        found: list[Found | None],
    ) -> list[PhotoGraph]:
        graphs: dict[int, PhotoGraph] = {}
        for places in _same_size([one.size for one in samples]):
            of_size, given = [samples[i] for i in places], [found[i] for i in places]
            batch = collate(of_size, PADDED_TO) if task == DETECTED else given_batch(of_size, given, PADDED_TO)
            answers = self._graphs(task, batch.to(self.device), wanted, [pixels[i] for i in places], given)
            graphs |= dict(zip(places, answers, strict=True))
        return [graphs[i] for i in range(len(pixels))]

    @torch.no_grad()
    def _graphs(
        self, task: str, batch: Batch, wanted: Wanted, photos: list[Pixels], found: list[Found | None]
    ) -> list[PhotoGraph]:
        """One predicate per pair, as in the study's recall with graph constraint."""
        model = self._network(task)
        look = model.look(batch)
        graphs, first = [], 0
        for photo, graph, given in zip(photos, model.answer(look, batch), found, strict=True):
            size = photo.shape[:2]
            boxes = clip(graph.boxes_original, size)
            if given is not None:
                graph = replace(graph, scores=graph.scores * torch.from_numpy(given.scores).float())
            meeting = partial(self._meeting, model, look, boxes, first)
            said = graph.pairs.numpy(), graph.predicate_probabilities[:, 1:].numpy(), graph.scores.numpy()
            relations = surest(*said, predicates=self.names.predicates, wanted=wanted, meeting=meeting)
            regions = regions_of(graph, boxes, self.names, size, given)
            graphs.append(PhotoGraph(photo, regions, relations, self.origin))
            first += len(graph.labels)
        return graphs

    @staticmethod
    def _meeting(
        model: SceneGraphModel, look: Look, boxes: Tensor, first: int, pairs: np.ndarray
    ) -> list[PairRegion | None]:
        pairs = torch.from_numpy(pairs)
        return pair_regions(model.meeting(look, pairs + first), boxes, pairs)


def _same_size(sizes: list[tuple[int, int]]) -> list[list[int]]:
    """Places of photos that share a padded size: padding beyond that would reach into an answer."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, size in enumerate(sizes):
        groups.setdefault(tuple(-(-side // PADDED_TO) for side in size), []).append(place)
    return list(groups.values())
