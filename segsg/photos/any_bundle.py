"""What every bundle is, whatever it is made of: photos become graphs that say which bundle they are from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from segsg.photos.found import Found
from segsg.photos.graph import Origin, PhotoGraph, Wanted
from segsg.photos.input import Photo


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

    @abstractmethod
    def predict_all(
        self, photos: Sequence[Photo], top: int = Wanted.top, threshold: float = Wanted.threshold
    ) -> list[PhotoGraph]:
        """The graph of each photo. None depends on those beside it."""

    @abstractmethod
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

        ValueError for a task that is not one of its `tasks`, and in `predcls` for a name that it does not know.
        """
