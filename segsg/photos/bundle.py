"""A bundle: Facts, weights and what they are, as one folder; and from a photo to its scene graph with nothing else.

`load_bundle(FOLDER).predict(PHOTO)` needs no data set and no study. `segsg bundle` writes such a folder (`export`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from segsg.data.loading import collate, resize
from segsg.data.words import Vocabulary
from segsg.files import DAMAGED, DataError, digest, read_json
from segsg.kernels.boxes import clip, union_boxes
from segsg.kernels.masks import paste
from segsg.models.scene_graph import SceneGraphModel
from segsg.photos.graph import Box, PairRegion, PhotoGraph, Region, Relation, Wanted, runs_of
from segsg.photos.input import Photo, Pixels, read, sample
from segsg.structures import Batch, ImageGraph, Look
from segsg.study.detectors import make_detector
from segsg.study.facts import NAMES, NUMBERS, Facts
from segsg.study.models import make_model
from segsg.study.params import DetectorRow, ExperimentRow, Grounding, Name, Numbers, Side, read_section
from segsg.study.rows import Row, make_row

FORMAT, VERSION = "segsg-bundle", 4
"""Raise the version when a key of the sections that a bundle holds is added or goes, too."""
MANIFEST, WEIGHTS, CARD, FACTS, SAMPLES = "bundle.json", "weights.safetensors", "MODEL_CARD.md", "facts", "samples"
READ = frozenset({WEIGHTS, CARD, f"{FACTS}/{NAMES}", f"{FACTS}/{NUMBERS}"})
"""names of all files beside the manifest and the samples"""
MOST_BYTES = 2**26
"""of a file beside the weights, which have a header to be checked first"""
AGAIN = "copy the whole bundle again, or write it again with `segsg bundle`"
WARNINGS = {
    "drawn": "This model has only ever seen drawings of a small made-up world, never a photograph. Its answers about "
    "photographs show how the method works, and are not to be relied on."
}
FLOATS = ("F16", "BF16", "F32")
"""how safetensors calls the real numbers of a bundle"""
PADDED_TO = 32
"""pixels; what `collate` rounds up to"""


@dataclass(frozen=True)
class Manifest:
    """bundle.json: what the weights are of, how they came about, and which files lie beside it."""

    format: Literal["segsg-bundle"]
    version: int
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
    """bundle.json of a folder whose other files are all there and unchanged. DataError names what is not."""
    path = folder / MANIFEST
    if not path.is_file():
        way_out = f"give a folder with {MANIFEST}, as `segsg bundle` writes it"
        raise DataError(path, "file", "cannot be read (no such file)", way_out)
    raw = read_json(path)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(path, "file", f"is not a manifest of the format {FORMAT}", "give the folder of a bundle")
    if raw.get("version") != VERSION:
        rule = f"is {raw.get('version')!r}, this segsg reads version {VERSION}"
        raise DataError(path, "version", rule, "use the segsg that wrote it, or write it again with `segsg bundle`")
    try:
        manifest = read_section(Manifest, raw, str(path))
        manifest.row  # noqa: B018
    except ValueError as error:
        raise DataError(path, "contents", str(error).removeprefix(f"{path}: "), AGAIN) from error
    _check_files(folder, manifest)
    return manifest


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Only files of a bundle's own names are opened, and only if they are files of this folder itself."""
    for name in sorted(READ - manifest.files.keys()):
        raise DataError(folder / MANIFEST, "files", f"does not list {name}", AGAIN)
    for name, expected in manifest.files.items():
        path, parts = folder / name, PurePosixPath(name).parts
        if name not in READ and (len(parts) != 2 or parts[0] != SAMPLES or ".." in parts):
            raise DataError(folder / MANIFEST, f"file {name!r}", "is no file of a bundle", "do not trust this bundle")
        if not path.is_file():
            raise DataError(path, "file", f"is missing, but {MANIFEST} lists it", AGAIN)
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(path, "file", "is a link that leaves the bundle", "do not trust this bundle")
        if not name.startswith(WEIGHTS) and path.stat().st_size > MOST_BYTES:
            raise DataError(path, "file", f"is larger than {MOST_BYTES:,} bytes", "do not trust this bundle")
        if digest(path) != expected:
            raise DataError(path, "file", f"has another SHA-256 than {MANIFEST} says", AGAIN)


def load_network(folder: Path, manifest: Manifest, known: Facts) -> SceneGraphModel:
    """The model of a bundle in float32, frozen. DataError if its weights are of another model, or no numbers."""
    path = folder / WEIGHTS
    _check_shapes(path, manifest, known)
    model = made(manifest, known)
    try:
        weights = {name: _single(value) for name, value in load_file(path).items()}
        model.load_state_dict(weights)
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(path, "weights", f"do not fit the model of bundle.json ({first})", AGAIN) from error
    for name, value in weights.items():
        if not value.isfinite().all():
            raise DataError(path, f"weights '{name}'", "are not all finite numbers", "train again, then bundle again")
    return model.eval().requires_grad_(False)


def made(manifest: Manifest, known: Facts) -> SceneGraphModel:
    """The untrained model of a bundle."""
    # Making a model seeds PyTorch, which is not a loader's to do.
    with torch.random.fork_rng(devices=[]):
        detector = make_detector(known, manifest.numbers, manifest.detector)
        return make_model(known, manifest.numbers, manifest.row, detector)


def _check_shapes(path: Path, manifest: Manifest, known: Facts) -> None:
    """DataError unless the header of the weights has just the shapes that bundle.json asks for.

    The model is made without memory for this: numbers in bundle.json may ask for any amount of it.
    """
    try:
        with torch.device("meta"):
            model = made(manifest, known.to("meta"))
        wanted = {name: (list(value.shape), value.is_floating_point()) for name, value in model.state_dict().items()}
        with safe_open(path, "pt") as file:
            slices = [(name, file.get_slice(name)) for name in list(file.keys())]
            found = {name: (part.get_shape(), part.get_dtype() in FLOATS) for name, part in slices}
    except (*DAMAGED, SafetensorError) as error:
        first = " ".join(str(error).split())[:200]
        raise DataError(path, "weights", f"are of no model that can be made ({first})", AGAIN) from error
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            rule = f"are {found.get(name)}, bundle.json asks for {wanted.get(name)} (shape, whether real)"
            raise DataError(path, f"weights '{name}'", f"do not fit the model of bundle.json: {rule}", AGAIN)


def _single(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def load_bundle(folder: Path | str, device: torch.device | str | None = None) -> "Bundle":
    """The bundle in a folder, on a GPU if there is one and `device` does not say otherwise.

    DataError, in one line with the way out, if anything in the folder is missing, changed or of another version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    known = Facts.load(folder / FACTS)
    model = load_network(folder, manifest, known)
    return Bundle(manifest, known, model, device or ("cuda" if torch.cuda.is_available() else "cpu"))


class Bundle:
    """A trained model and all that it needs to know; `warning` is what everybody who sees an answer has to know."""

    def __init__(self, manifest: Manifest, known: Facts, model: SceneGraphModel, device: torch.device | str):
        self.manifest, self.names, self.warning = manifest, known.names, manifest.warning
        self.device = torch.device(device)
        self._model = model.to(self.device)
        self._resize = partial(resize, short_side=manifest.short_side, long_side=manifest.long_side)

    def predict(self, photo: Photo, top: int = Wanted.top, threshold: float = Wanted.threshold) -> PhotoGraph:
        """The graph of a photo: a file, a Pillow image, or an array of uint8 `[h, w, 3]` (also grey or with alpha).

        `top` and `threshold` limit its relations by number and by score. DataError if a file is no photo.
        """
        return self.predict_all([photo], top, threshold)[0]

    def predict_all(
        self, photos: Sequence[Photo], top: int = Wanted.top, threshold: float = Wanted.threshold
    ) -> list[PhotoGraph]:
        """The graph of each photo. Photos of one size are computed together; none depends on those beside it."""
        wanted, pixels = Wanted(top, threshold), [read(photo) for photo in photos]
        samples = [self._resize(sample(photo)) for photo in pixels]
        graphs: dict[int, PhotoGraph] = {}
        for places in _same_size([one.size for one in samples]):
            batch = collate([samples[i] for i in places], PADDED_TO).to(self.device)
            graphs |= dict(zip(places, self._graphs(batch, [pixels[i] for i in places], wanted), strict=True))
        return [graphs[i] for i in range(len(photos))]

    @torch.no_grad()
    def _graphs(self, batch: Batch, photos: list[Pixels], wanted: Wanted) -> list[PhotoGraph]:
        """One predicate per pair, as in the study's recall with graph constraint."""
        look = self._model.look(batch)
        graphs, first = [], 0
        for photo, graph in zip(photos, self._model.answer(look, batch), strict=True):
            boxes = clip(graph.boxes_original, photo.shape[:2])
            relations = self._relations(graph, boxes, look, first, wanted)
            graphs.append(PhotoGraph(photo, _regions(graph, boxes, self.names, photo.shape[:2]), relations))
            first += len(graph.labels)
        return graphs

    def _relations(
        self, graph: ImageGraph, boxes: Tensor, look: Look, first: int, wanted: Wanted
    ) -> tuple[Relation, ...]:
        """The surest relations of a photo whose regions begin at `first` in the batch."""
        if not len(graph.pairs):
            return ()
        probabilities, predicates = graph.predicate_probabilities[:, 1:].max(dim=1)
        scores = probabilities * graph.scores[graph.pairs].prod(dim=1)
        best = scores.argsort(descending=True, stable=True)[: wanted.top]
        best = best[scores[best] >= wanted.threshold]
        pairs = graph.pairs[best]
        where = _pair_regions(self._model.meeting(look, pairs + first), union_boxes(*boxes[pairs].unbind(1)))
        rows = zip(pairs.tolist(), (predicates[best] + 1).tolist(), scores[best].tolist(), where, strict=True)
        return tuple(Relation(s, self.names.predicate_name(p), o, score, place) for (s, o), p, score, place in rows)


def _same_size(sizes: list[tuple[int, int]]) -> list[list[int]]:
    """Places of photos that share a padded size: padding beyond that would reach into an answer."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, size in enumerate(sizes):
        groups.setdefault(tuple(-(-side // PADDED_TO) for side in size), []).append(place)
    return list(groups.values())


def _regions(graph: ImageGraph, boxes: Tensor, names: Vocabulary, size: tuple[int, int]) -> tuple[Region, ...]:
    masks = [None] * len(boxes) if graph.masks is None else graph.masks
    return tuple(
        Region(
            names.class_name(label),
            float(score),
            _box(box),
            None if mask is None else runs_of(_pasted(mask, box, size)),
        )
        for label, score, box, mask in zip(graph.labels.tolist(), graph.scores, boxes, masks, strict=True)
    )


def _pasted(mask: Float[Tensor, "side side"], box: Tensor, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """A mask in the frame of its photo, computed within its box alone: photos may have many more pixels."""
    whole = np.zeros(size, dtype=bool)
    left, top = (int(side) for side in box[:2].floor())
    right, bottom = (int(side) for side in box[2:].ceil())
    inside = paste(mask[None], (box - box.new_tensor([left, top, left, top]))[None], (bottom - top, right - left))
    whole[top:bottom, left:right] = inside[0].numpy()
    return whole


def _pair_regions(masks: Float[Tensor, "pairs 28 28"] | None, unions: Tensor) -> list[PairRegion | None]:
    if masks is None:
        return [None] * len(unions)
    return [PairRegion(_box(union), mask.numpy()) for union, mask in zip(unions, masks, strict=True)]


def _box(box: Float[Tensor, "4"]) -> Box:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
