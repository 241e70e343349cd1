"""What every bundle is, whatever it is made of: photos become graphs that say which bundle they are from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from segsg.photos.found import Found
from segsg.photos.graph import Origin, PhotoGraph, Wanted
from segsg.photos.input import Photo, Pixels, read


class AnyBundle(ABC):
    """`identity` changes with any file of the bundle, `warning` is what everybody who sees an answer has to know."""

    tasks: tuple[str, ...]
    """what it answers on given regions: `predcls` trusts their names, `sgcls` finds them"""

    def __init__(self, origin: Origin, identity: str):
        self.origin, self.name, self.warning, self.identity = origin, origin.bundle, origin.warning, identity

    @abstractmethod
    def knows(self, name: str) -> bool:
        """Whether regions of this name can be related."""

    def predict(self, photo: Photo, top: int = Wanted.top, threshold: float = Wanted.threshold) -> PhotoGraph:
        """The graph of a photo: a file, a Pillow image, or an array of uint8 `[h, w, 3]` (also grey or with alpha).

        `top` and `threshold` limit its relations by number and by score. DataError if a file is no photo.
        """
        return self.predict_all([photo], top, threshold)[0]

    def predict_all(
        self, photos: Sequence[Photo], top: int = Wanted.top, threshold: float = Wanted.threshold
    ) -> list[PhotoGraph]:
        """The graph of each photo. None depends on those beside it."""
        return self._found([read(photo) for photo in photos], Wanted(top, threshold))

    def relate_all(
        self,
        photos: Sequence[Photo],
        found: Sequence[Found],
        *,
        task: str = "predcls",
        top: int = Wanted.top,
        threshold: float = Wanted.threshold,
    ) -> list[PhotoGraph]:
        """The graph of each photo on the regions that were found in it, with all their pairs.

        In `predcls` names are trusted; ValueError for one that the bundle does not know, and for a task that is not one
        of its `tasks`. In `sgcls` the model names regions, and a region's score is that of `found` times the
        probability of the name. Masks that are given are taken; those that are not, are found.
        """
        if task not in self.tasks:
            raise ValueError(f"task {task}: on given regions the bundle {self.name} answers {' and '.join(self.tasks)}")
        unknown = {name for each in found for name in each.names if not self.knows(name)} if task == "predcls" else ()
        for name in sorted(unknown):
            raise ValueError(f"'{name}' is no name that the bundle {self.name} can relate; its card lists them")
        return self._related([read(photo) for photo in photos], list(found), task, Wanted(top, threshold))

    @abstractmethod
    def _found(self, photos: list[Pixels], wanted: Wanted) -> list[PhotoGraph]:
        """The graph of each photo on what the bundle finds in it."""

    @abstractmethod
    def _related(self, photos: list[Pixels], found: list[Found], task: str, wanted: Wanted) -> list[PhotoGraph]:
        """The graph of each photo on its regions, whose names the bundle knows, in one of its tasks."""
