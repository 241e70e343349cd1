"""From a photo to its scene graph, with no data set and no study at hand: `load_bundle(FOLDER).predict(PHOTO)`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from segsg.data.transforms import collate, resize
from segsg.data.vocabulary import Vocabulary
from segsg.models.scene_graph import SceneGraphModel
from segsg.photos import card as bundle_card
from segsg.photos.answers import photo_graphs
from segsg.photos.bundle_file import Manifest, read_manifest
from segsg.photos.bundled import load_network
from segsg.photos.graph import PhotoGraph
from segsg.photos.last_look import LastLook
from segsg.photos.pixels import Photo, read, sample
from segsg.photos.wanted import Wanted

PADDED_TO = 32
"""pixels; what `collate` rounds up to"""


def load_bundle(folder: Path | str, device: torch.device | str | None = None) -> "Bundle":
    """The bundle in a folder, on a GPU if there is one and `device` does not say otherwise.

    DataError, in one line with the way out, if anything in the folder is missing, changed or of another version.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    model = load_network(folder, manifest)
    return Bundle(manifest, model, device or ("cuda" if torch.cuda.is_available() else "cpu"))


class Bundle:
    """A trained model and all that it needs to know; `warning` is what everybody who sees an answer has to know."""

    def __init__(self, manifest: Manifest, model: SceneGraphModel, device: torch.device | str):
        self.manifest, self.device = manifest, torch.device(device)
        self.names = Vocabulary(tuple(manifest.classes), tuple(manifest.predicates))
        self.warning = bundle_card.warning(manifest)
        self._model = model.to(self.device)
        self._model.detector = LastLook(self._model.detector)
        data = manifest.params.data
        self._resize = partial(resize, short_side=data.short_side, long_side=data.long_side)

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
        found: dict[int, PhotoGraph] = {}
        for places in _same_size([one.size for one in samples]):
            batch = collate([samples[i] for i in places], PADDED_TO).to(self.device)
            graphs = photo_graphs(self._model, batch, [pixels[i] for i in places], self.names, wanted)
            found |= dict(zip(places, graphs, strict=True))
        return [found[i] for i in range(len(photos))]


def _same_size(sizes: list[tuple[int, int]]) -> list[list[int]]:
    """Places of photos that share a padded size: padding beyond that would reach into an answer."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, size in enumerate(sizes):
        groups.setdefault(tuple(-(-side // PADDED_TO) for side in size), []).append(place)
    return list(groups.values())
