"""All that the recall family needs to know of a model's predictions: small arrays, kept in one .npz file."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from segsg.evaluation.protocol import Protocol
from segsg.files import whole


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The place at which every true relation was found. Images are in ascending order of id, rows in that of images.

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

    def among(self, chosen: Bool[np.ndarray, "images"]) -> "Ranks":
        """The ranks of the chosen images alone."""
        return self._of_images(np.flatnonzero(chosen))

    def in_order(self) -> "Ranks":
        """The images by ascending id. Raises ValueError for an image that is there twice."""
        order = np.argsort(self.image_ids, kind="stable")
        repeated = self.image_ids[order][1:][np.diff(self.image_ids[order]) == 0]
        if len(repeated):
            raise ValueError(f"image {repeated[0]}: evaluated twice; give every image once")
        return self._of_images(order)

    def _of_images(self, places: Int[np.ndarray, "chosen"]) -> "Ranks":
        """Images at these places, in this order, with their rows."""
        place = np.full(len(self), -1)
        place[places] = np.arange(len(places))
        image = place[self.image]
        rows = np.argsort(image, kind="stable")
        rows = rows[image[rows] >= 0]
        parts = {name: getattr(self, name)[places] for name in ("image_ids", "boxes", "predicted")}
        parts |= {name: getattr(self, name)[rows] for name in ("triplets", "constrained", "free")}
        flags = None if self.zero_shot is None else self.zero_shot[rows]
        return dataclasses.replace(self, image=image[rows], zero_shot=flags, **parts)


_ARRAYS = tuple(field.name for field in dataclasses.fields(Ranks) if field.name not in ("predicates", "protocol"))
_OPTIONAL = ("zero_shot", "training_counts")


def save(path: Path, ranks: Ranks) -> None:
    """Write `ranks` as .npz, whole or not at all."""
    header = json.dumps({"predicates": ranks.predicates, "protocol": dataclasses.asdict(ranks.protocol)})
    arrays = {name: getattr(ranks, name) for name in _ARRAYS if getattr(ranks, name) is not None}
    with whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, header=np.array(header), **arrays)


def load(path: Path) -> Ranks:
    """Read what `save` wrote. ValueError names the file and what it lacks; FileNotFoundError where there is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a file of ranks ({error}); evaluate the predictions again") from error
    lacking = [name for name in ("header", *_ARRAYS) if name not in arrays and name not in _OPTIONAL]
    if lacking:
        raise ValueError(f"{path}: lacks {', '.join(lacking)}; evaluate the predictions again")
    header = json.loads(str(arrays.pop("header")))
    rules = header["protocol"]
    rules["depths"] = tuple(rules["depths"])
    return Ranks(predicates=header["predicates"], protocol=Protocol(**rules), **arrays)
