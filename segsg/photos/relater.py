"""From names and boxes to relations with probabilities: no pixels, so it serves whoever found the regions.

A folder holds it: relater.json (names, predicates, numbers, digest) and relater.safetensors, in half precision.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from segsg.data.words import WordVectors, check_names
from segsg.files import DAMAGED, DataError, digest, read_json, to_json, whole, write_text
from segsg.kernels.geometry import pair_geometry
from segsg.models.names_and_boxes import PairNetwork
from segsg.values import are_finite, field, whole_number

MANIFEST, WEIGHTS = "relater.json", "relater.safetensors"
FORMAT, VERSION = "segsg-relater", 1
AGAIN = "copy the whole folder again, or train again: python -m segsg.photos.train_relations"
LARGEST = 4096
"""hidden units, members and numbers of a word vector that a folder may ask for"""
SMALLEST = 1e-12
"""a probability that has a logarithm"""


@dataclass(frozen=True)
class Calibration:
    """From what the networks say, p, to how often it is annotated: sigmoid(slope * logit(p) + offset).

    It keeps every order. `threshold` is what a calibrated relation should reach to be shown.
    """

    slope: float = 1.0
    offset: float = 0.0
    threshold: float = 0.0

    def __call__(self, probabilities: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        return (self.slope * probabilities.clamp(SMALLEST, 1 - 1e-7).logit() + self.offset).sigmoid()


class Relater(nn.Module):
    """Networks of equal shape whose probabilities are averaged, the vectors that they know names by, and a calibration.

    `lift` is added to logits, background first: rare predicates get more, which mean recall rewards.
    Networks have their own vectors of a name, since training moves them.
    """

    def __init__(
        self,
        *,
        networks: Sequence[PairNetwork],
        vectors: Float[Tensor, "members names words"],
        lift: Float[Tensor, "predicates"],
        names: Sequence[str],
        predicates: Sequence[str],
        calibration: Calibration,
    ):
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.register_buffer("vectors", vectors)
        self.register_buffer("lift", lift)
        self.names, self.predicates, self.calibration = tuple(names), tuple(predicates), calibration
        self._place = {name: i for i, name in enumerate(self.names)}

    def with_words(self, words: WordVectors, names: Iterable[str]) -> "Relater":
        """A relater that also knows these names, by their word vectors. DataError for a word that has none."""
        new = [name for name in dict.fromkeys(names) if name not in self._place]
        if not new:
            return self
        more = words.matrix(new).expand(len(self.networks), -1, -1)
        if more.shape[2] != self.vectors.shape[2]:
            width = self.vectors.shape[2]
            raise ValueError(f"word vectors have {more.shape[2]} numbers, and this relater wants {width}")
        parts = {"lift": self.lift, "predicates": self.predicates, "calibration": self.calibration}
        return Relater(
            networks=list(self.networks),
            vectors=torch.cat([self.vectors, more], dim=1),
            names=(*self.names, *new),
            **parts,
        )

    @torch.no_grad()
    def relate(
        self, names: Sequence[str], boxes: Float[Tensor, "regions 4"], pairs: Int[Tensor, "pairs 2"]
    ) -> Float[Tensor, "pairs predicates"]:
        """The calibrated probability of every predicate for each pair (subject, object) of regions.

        Boxes are xyxy in pixels of any frame. Several predicates of a pair may hold, so a row has no fixed sum; column
        0 is what the best of them leaves. ValueError for a name without a vector.
        """
        if unknown := sorted(set(names) - self._place.keys()):
            listed = ", ".join(unknown[:5])
            raise ValueError(f"no vector for the name {listed}; give a file of word vectors that has its words")
        labels = torch.tensor([self._place[name] for name in names], dtype=torch.long)
        subjects, objects = pairs.unbind(1)
        geometry = pair_geometry(boxes[subjects].float(), boxes[objects].float())
        foreground = self.calibration(self.probabilities(labels[subjects], labels[objects], geometry)[:, 1:])
        return torch.cat([1 - foreground.amax(dim=1, keepdim=True), foreground], dim=1)

    def probabilities(
        self, subjects: Int[Tensor, "pairs"], objects: Int[Tensor, "pairs"], geometry: Float[Tensor, "pairs numbers"]
    ) -> Float[Tensor, "pairs predicates"]:
        """The mean over the networks, lifted and not calibrated, of pairs of names (numbers from 0 in `names`)."""
        said = [
            network(vectors[subjects], vectors[objects], geometry).softmax(dim=1)
            for network, vectors in zip(self.networks, self.vectors, strict=True)
        ]
        return lifted(torch.stack(said).mean(dim=0), self.lift)


def lifted(
    probabilities: Float[Tensor, "pairs predicates"], lift: Float[Tensor, "predicates"]
) -> Float[Tensor, "pairs predicates"]:
    """Probabilities after `lift` is added to their logarithms."""
    return (probabilities.clamp(min=SMALLEST).log() + lift).softmax(dim=1)


def save_relater(relater: Relater, folder: Path, measured: dict) -> None:
    """Writes a relater to a folder; `measured` is kept beside it for people to read."""
    with whole(folder / WEIGHTS) as part:
        save_file({name: value.half().contiguous().cpu() for name, value in relater.state_dict().items()}, part)
    members, _, words = relater.vectors.shape
    shape = {"members": members, "words": words, "hidden": relater.networks[0].names.out_features}
    known = {"names": relater.names, "predicates": relater.predicates, "shape": shape, "measured": measured}
    numbers = {"calibration": dataclasses.asdict(relater.calibration), "sha256": digest(folder / WEIGHTS)}
    write_text(folder / MANIFEST, to_json({"format": FORMAT, "version": VERSION, **known, **numbers}))


def load_relater(folder: Path) -> Relater:
    """The relater of a folder, in single precision, for prediction. DataError if the folder is damaged or of another
    version."""
    path = folder / MANIFEST
    manifest = read_json(path)
    if (field(path, "file", manifest, "format"), field(path, "file", manifest, "version")) != (FORMAT, VERSION):
        raise DataError(path, "file", f"is not of format {FORMAT}, version {VERSION}", AGAIN)
    if not (folder / WEIGHTS).is_file() or digest(folder / WEIGHTS) != field(path, "file", manifest, "sha256", str):
        raise DataError(folder / WEIGHTS, "file", "is missing or is not the one of relater.json", AGAIN)
    names, predicates = (field(path, "file", manifest, key, list) for key in ("names", "predicates"))
    check_names(path, "names", names)
    check_names(path, "predicates", predicates)
    shape = field(path, "file", manifest, "shape", dict)
    members, words, hidden = (
        whole_number(path, "shape", shape, key, 1, LARGEST) for key in ("members", "words", "hidden")
    )
    sizes = {"words": words, "hidden": hidden, "predicates": len(predicates) + 1, "dropout": 0.0}
    relater = Relater(
        networks=[PairNetwork(**sizes) for _ in range(members)],
        vectors=torch.zeros(members, len(names), words),
        lift=torch.zeros(len(predicates) + 1),
        names=names,
        predicates=predicates,
        calibration=_calibration(path, field(path, "file", manifest, "calibration", dict)),
    )
    try:
        relater.load_state_dict({name: value.float() for name, value in load_file(folder / WEIGHTS).items()})
    except (*DAMAGED, SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(folder / WEIGHTS, "weights", f"do not fit relater.json ({first:.200})", AGAIN) from error
    return relater.eval().requires_grad_(False)


def _calibration(path: Path, raw: dict) -> Calibration:
    values = [field(path, "calibration", raw, part.name) for part in dataclasses.fields(Calibration)]
    if not are_finite(values) or not values[0] > 0 or not 0 <= values[2] <= 1:
        raise DataError(path, "calibration", f"{values} are not slope > 0, offset and a threshold in 0..1", AGAIN)
    return Calibration(*map(float, values))
