"""All that the recall family needs to know of a model's predictions: small arrays, kept in one .npz file."""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from segsg.evaluation.protocol import Protocol


@dataclass(frozen=True)
class Ranks:
    """Of every true relation, where it was found. Images are in ascending order of id, rows in that of images.

    `image` is a row's index into `image_ids`; `triplets` are (subject class, predicate, object class); `constrained`
    and `free` are ranks from 0 with and without graph constraint, `MISSED` if not found.
    `boxes` counts true boxes, `predicted` says which images had a pair at all.
    `zero_shot` is None where no triplets were given, `training_counts` (per predicate, background first) likewise.
    """

    image_ids: Int[np.ndarray, "images"]
    boxes: Int[np.ndarray, "images"]
    predicted: Bool[np.ndarray, "images"]
    image: Int[np.ndarray, "relations"]
    triplets: Int[np.ndarray, "relations 3"]
    constrained: Int[np.ndarray, "relations"]
    free: Int[np.ndarray, "relations"]
    predicates: int
    protocol: Protocol
    zero_shot: Bool[np.ndarray, "relations"] | None = None
    training_counts: Int[np.ndarray, "predicates"] | None = None

    def __len__(self) -> int:
        return len(self.image_ids)

    def under(self, protocol: Protocol) -> "Ranks":
        """The same ranks averaged by other rules. Raises ValueError where the matching itself would differ."""
        if protocol.matching != self.protocol.matching:
            raise ValueError(
                f"ranks were matched under {self.protocol}, which differs from {protocol} in what is matched; "
                "rank the predictions again under the new protocol"
            )
        return dataclasses.replace(self, protocol=protocol)

    def among(self, chosen: Bool[np.ndarray, "images"]) -> "Ranks":
        """The ranks of the chosen images alone."""
        rows = chosen[self.image]
        parts = {name: getattr(self, name)[rows] for name in ("triplets", "constrained", "free")}
        parts |= {name: getattr(self, name)[chosen] for name in ("image_ids", "boxes", "predicted")}
        places = np.cumsum(chosen) - 1
        flags = None if self.zero_shot is None else self.zero_shot[rows]
        return dataclasses.replace(self, image=places[self.image[rows]], zero_shot=flags, **parts)


_ARRAYS = tuple(field.name for field in dataclasses.fields(Ranks) if field.name not in ("predicates", "protocol"))
_OPTIONAL = ("zero_shot", "training_counts")


def merge(parts: list[Ranks]) -> Ranks:
    """The ranks of several workers as if one had seen all images. Raises ValueError for an image seen twice."""
    image_ids = np.concatenate([part.image_ids for part in parts])
    order = np.argsort(image_ids, kind="stable")
    repeated = image_ids[order][1:][np.diff(image_ids[order]) == 0]
    if len(repeated):
        raise ValueError(f"image {repeated[0]}: evaluated twice; give every image once")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    starts = np.cumsum([0] + [len(part) for part in parts])
    image = place[np.concatenate([part.image + start for part, start in zip(parts, starts, strict=False)])]
    rows = np.argsort(image, kind="stable")

    def joined(name: str, chosen: np.ndarray) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])[chosen]

    flags = None if parts[0].zero_shot is None else joined("zero_shot", rows)
    columns = {name: joined(name, rows) for name in ("triplets", "constrained", "free")}
    return dataclasses.replace(
        parts[0], image_ids=image_ids[order], boxes=joined("boxes", order), predicted=joined("predicted", order),
        image=image[rows], zero_shot=flags, **columns,
    )  # fmt: skip


def save(path: str | os.PathLike, ranks: Ranks) -> None:
    """Write `ranks` as .npz, whole or not at all."""
    path = Path(path)
    header = json.dumps({"predicates": ranks.predicates, "protocol": dataclasses.asdict(ranks.protocol)})
    arrays = {name: getattr(ranks, name) for name in _ARRAYS if getattr(ranks, name) is not None}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, header=np.array(header), **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike) -> Ranks:
    """Read what `save` wrote. Raises ValueError that names the file and what it lacks."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path}: not a file of ranks ({error}); evaluate the predictions again") from error
    lacking = [name for name in ("header", *_ARRAYS) if name not in arrays and name not in _OPTIONAL]
    if lacking:
        raise ValueError(f"{path}: lacks {', '.join(lacking)}; evaluate the predictions again")
    header = json.loads(str(arrays.pop("header")))
    protocol = header["protocol"]
    return Ranks(
        predicates=header["predicates"], protocol=Protocol(**protocol | {"depths": tuple(protocol["depths"])}), **arrays
    )
