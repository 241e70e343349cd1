"""A bundle for photographs: a finder, a masker and a relater, each a part with weights of its own.

`PhotoBundle` joins any three objects of these kinds; `load_photo_bundle` makes them from a folder, in which each part
has a folder of its own.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from segsg.files import DataError, digest
from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import crop
from segsg.photos.answer import pasted, surest
from segsg.photos.any_bundle import AnyBundle
from segsg.photos.folder import AGAIN, CARD, MANIFEST, SAMPLES, check_files, read_raw
from segsg.photos.found import Finder, Found, Masker, Relater
from segsg.photos.graph import CALIBRATED, Origin, PairRegion, PhotoGraph, Region, Relation, Wanted, mask_of, runs_of
from segsg.photos.input import Pixels
from segsg.photos.parts import LOADERS, Loaders
from segsg.structures import MASK_SIDE
from segsg.study.params import Name, read_section

FINDER, MASKER, RELATER = "finder", "masker", "relater"
PROTOCOLS = {FINDER: Finder, MASKER: Masker, RELATER: Relater}
TEXTS = frozenset({"NOTICE", "LICENSE"})
"""files that licences ask for"""
KERNEL, SMOOTH = 7, 1.5
"""cells of 28 x 28 in a union box: width of the Gaussian kernel, and its standard deviation"""


@dataclass(frozen=True)
class Part:
    """What a part is: `kind` is a name among the kinds of its step, `settings` are for its loader to check."""

    kind: str
    settings: dict


@dataclass(frozen=True)
class PhotoManifest:
    """bundle.json of a bundle for photographs. The files of a part are in the folder of its step."""

    format: Literal["segsg-bundle"]
    version: int
    kind: Literal["photos"]
    name: Name
    licence: str
    trained: dict
    """how the parts came about, and how good they are"""
    warning: str | None
    """what everybody who sees an answer has to know, if anything"""
    finder: Part
    masker: Part | None
    relater: Part
    files: dict[str, str]
    """every other file of the folder and its SHA-256; names are relative, with slashes"""

    @property
    def parts(self) -> dict[str, Part]:
        """The parts that there are, by their step."""
        every = {FINDER: self.finder, MASKER: self.masker, RELATER: self.relater}
        return {step: part for step, part in every.items() if part is not None}


def read_photo_manifest(folder: Path) -> PhotoManifest:
    """The manifest of a bundle whose files are all there and unchanged. DataError names what is not."""
    path, raw = folder / MANIFEST, read_raw(folder)
    try:
        manifest = read_section(PhotoManifest, raw, str(path))
    except ValueError as error:
        raise DataError(path, "contents", str(error).removeprefix(f"{path}: "), AGAIN) from error

    def allowed(name: str) -> bool:
        parts = PurePosixPath(name).parts
        return name in TEXTS or (len(parts) == 2 and parts[0] in (SAMPLES, *manifest.parts))

    check_files(folder, manifest.files, frozenset({CARD}), allowed)
    return manifest


def load_photo_bundle(folder: Path, device: torch.device, loaders: Loaders = LOADERS) -> "PhotoBundle":
    """The bundle in a folder. DataError, in one line, for a missing or changed file, or weights of other parts."""
    manifest = read_photo_manifest(folder)
    made = {step: _part(folder, step, part, loaders).to(device) for step, part in manifest.parts.items()}
    facts = {"name": manifest.name, "warning": manifest.warning, "identity": digest(folder / MANIFEST)}
    return PhotoBundle(made[FINDER], made.get(MASKER), made[RELATER], **facts)


def _part(folder: Path, step: str, part: Part, loaders: Loaders) -> nn.Module:
    load = loaders[step].get(part.kind)
    if load is None:
        rule = f"kind '{part.kind}' is unknown; this segsg knows {', '.join(loaders[step]) or 'none'}"
        raise DataError(folder / MANIFEST, step, rule, "use the segsg that wrote it")
    try:
        module = load(folder / step, part.settings)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(folder / MANIFEST, f"{step}: settings", str(error), AGAIN) from error
    if not isinstance(module, PROTOCOLS[step]):
        raise TypeError(f"what '{part.kind}' loads is no {step}")
    return module.eval().requires_grad_(False)


class PhotoBundle(AnyBundle):
    """A finder, a masker (or None: boxes stand for masks) and a relater."""

    tasks = ("predcls",)

    def __init__(
        self, finder: Finder, masker: Masker | None, relater: Relater, *, name: str, warning: str | None, identity: str
    ):
        self.finder, self.masker, self.relater = finder, masker, relater
        super().__init__(Origin(name, warning, CALIBRATED), identity)

    def knows(self, name: str) -> bool:
        return self.relater.knows(name)

    def _found(self, photos: list[Pixels], wanted: Wanted) -> list[PhotoGraph]:
        found = self.finder.find(photos)
        return [self._graph(*each, wanted, given=False) for each in zip(photos, found, strict=True)]

    def _related(self, photos: list[Pixels], found: list[Found], task: str, wanted: Wanted) -> list[PhotoGraph]:
        return [self._graph(*each, wanted, given=True) for each in zip(photos, found, strict=True)]

    def _graph(self, photo: Pixels, found: Found, wanted: Wanted, *, given: bool) -> PhotoGraph:
        """`given`: masks of `found` are a user's, not the finder's."""
        masked = self.with_masks(photo, found)
        rows = zip(masked.names, masked.scores, masked.boxes, masked.masks, found.masks, strict=True)
        regions = tuple(
            Region(name, float(score), tuple(map(float, box)), runs, given=given and known is not None)
            for name, score, box, runs, known in rows
        )
        return PhotoGraph(photo, regions, self._relations(masked, photo.shape[:2], wanted), self.origin)

    def with_finder(self, finder: Finder, name: str, identity: str) -> "PhotoBundle":
        """The bundle with another finder, and the finder's `name` behind its own; `identity` is the finder's."""
        return PhotoBundle(
            finder,
            self.masker,
            self.relater,
            name=f"{self.name} + {name}",
            warning=self.warning,
            identity=f"{self.identity} {identity}",
        )

    def with_masks(self, photo: Pixels, found: Found) -> Found:
        """The regions, with masks of the masker where none is given."""
        missing = [place for place, runs in enumerate(found.masks) if runs is None]
        if self.masker is None or not missing:
            return found
        masks = list(found.masks)
        for place, cells, frame in zip(missing, *self.masker.masks(photo, found.boxes[missing]), strict=True):
            mask = pasted(torch.from_numpy(cells).float(), torch.from_numpy(frame).float(), photo.shape[:2])
            masks[place] = runs_of(mask)
        return replace(found, masks=tuple(masks))

    def _relations(self, found: Found, size: tuple[int, int], wanted: Wanted) -> tuple[Relation, ...]:
        n = len(found)
        pairs = np.array([(s, o) for s in range(n) for o in range(n) if s != o], dtype=np.int64).reshape(-1, 2)
        if not len(pairs):
            return ()
        said = self.relater.relate(found, size, pairs)
        return surest(
            pairs,
            said,
            found.scores,
            predicates=self.relater.predicates,
            wanted=wanted,
            meeting=partial(meetings, found),
        )


def meetings(found: Found, pairs: Int[np.ndarray, "pairs 2"]) -> list[PairRegion | None]:
    """Where the smoothed masks of each pair meet in its union box, as eq. 6 has it with one Gaussian for all.

    None for a pair of which a mask is not known.
    """
    masks = [None if runs is None else torch.from_numpy(mask_of(runs)) for runs in found.masks]
    boxes = torch.from_numpy(found.boxes).float()
    return [
        None if masks[s] is None or masks[o] is None else _meeting(torch.stack([masks[s], masks[o]]), boxes[[s, o]])
        for s, o in pairs.tolist()
    ]


def _meeting(masks: Bool[Tensor, "2 h w"], boxes: Float[Tensor, "2 4"]) -> PairRegion:
    union = union_boxes(boxes[:1], boxes[1:])
    cells = gaussian_blur(crop(masks, union.expand(2, -1), MASK_SIDE), KERNEL, SMOOTH)
    return PairRegion(tuple(union[0].tolist()), cells.prod(dim=0).numpy())
