"""How a run of `segsg predict` gets the graph of a photo: from a bundle alone, or on regions from a file."""

import hashlib
import json
from collections import Counter
from pathlib import Path

from segsg.files import digest
from segsg.photos.any_bundle import AnyBundle
from segsg.photos.finders.detections import read_detections
from segsg.photos.finders.entries import Detections
from segsg.photos.found import Found
from segsg.photos.graph import PhotoGraph, Wanted
from segsg.photos.input import Named, Pixels

NAMED = 5
"""unknown names that a remark lists"""


class Answering:
    """Answers with what a bundle finds. `identity` differs between runs that may say different things of a photo."""

    def __init__(self, bundle: AnyBundle, wanted: Wanted):
        self._bundle, self._wanted = bundle, wanted
        self.origin = bundle.origin
        self.identity = _identity(bundle.identity, wanted.top, wanted.threshold)

    def graphs(self, photos: list[tuple[Named, Pixels]]) -> list[PhotoGraph]:
        """The graph of each photo."""
        pixels = [each for _, each in photos]
        return self._bundle.predict_all(pixels, self._wanted.top, self._wanted.threshold)

    def remarks(self) -> list[str]:
        """What a user should know of what was left out."""
        return []


class AnsweringOn(Answering):
    """Answers on the regions of a file. In `predcls` regions with names that the bundle does not know are left out."""

    def __init__(self, bundle: AnyBundle, wanted: Wanted, photos: list[Named], detections: Detections, task: str):
        super().__init__(bundle, wanted)
        self._detections, self._task, self._unknown, self._counted = detections, task, Counter(), set()
        self._missing, self._unused = detections.missing([photo.path for photo in photos])
        self._photos = len(photos)

    def graphs(self, photos: list[tuple[Named, Pixels]]) -> list[PhotoGraph]:
        """The graph of each photo on its regions in the file; without any, a graph without regions."""
        found = [self._found(photo, pixels) for photo, pixels in photos]
        options = {"task": self._task, "top": self._wanted.top, "threshold": self._wanted.threshold}
        return self._bundle.relate_all([pixels for _, pixels in photos], found, **options)

    def _found(self, photo: Named, pixels: Pixels) -> Found:
        first = photo.path not in self._counted  # a photo may be asked for again, alone
        found = self._detections.found(photo.path, pixels.shape[:2], count=first)
        self._counted.add(photo.path)
        if self._task != "predcls":
            return found
        known = [place for place, name in enumerate(found.names) if self._bundle.knows(name)]
        if first:
            self._unknown.update(name for name in found.names if not self._bundle.knows(name))
        return found.rows(known)

    def remarks(self) -> list[str]:
        """Photos and names that do not meet, and regions that were left out."""
        said, path = self._detections.remarks(), self._detections.path
        if self._missing:
            said.append(f"{path}: {self._missing} of {self._photos} photos have no entry in it, so no region")
        if self._unused:
            said.append(f"{path}: {self._unused} of its {len(self._detections)} entries are of no photo that was given")
        if self._unknown:
            names = ", ".join(name for name, _ in self._unknown.most_common(NAMED))
            more = f" and {len(self._unknown) - NAMED} more" if len(self._unknown) > NAMED else ""
            rule = (
                f"{self._unknown.total()} regions left out: the bundle {self.origin.bundle} has no class {names}{more}"
            )
            said.append(f"{path}: {rule}; rename them, or let --task sgcls name them")
        return said


def answering(
    bundle: AnyBundle, wanted: Wanted, photos: list[Named], given: tuple[Path, Path | None, str] | None
) -> Answering:
    """What answers; `given` is (file of detections, file of class names, task). ValueError for a bad file or task."""
    if given is None:
        return Answering(bundle, wanted)
    path, classes, task = given
    if task not in bundle.tasks:
        raise ValueError(f"--task {task}: the bundle {bundle.name} names no regions; give a study's bundle, as mini")
    answers = AnsweringOn(bundle, wanted, photos, read_detections(path, classes), task)
    files = [digest(each) for each in _files(path) + ([] if classes is None else [classes])]
    answers.identity = _identity(answers.identity, task, *files)
    return answers


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.txt")) if path.is_dir() else [path]


def _identity(*parts: str | int | float) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
