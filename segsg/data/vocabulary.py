"""Names of classes and predicates. Background is not among them: label 0 is background, label i is names[i - 1]."""

from dataclasses import dataclass
from pathlib import Path

from segsg.files import DataError, read_json
from segsg.structures import BACKGROUND

BACKGROUND_NAME = "background"


@dataclass(frozen=True)
class Vocabulary:
    """Class and predicate names in label order, without background."""

    classes: tuple[str, ...]
    predicates: tuple[str, ...] = ()

    def class_name(self, label: int) -> str:
        """Name of a class label; IndexError if there is no such label."""
        return _name(self.classes, label)

    def predicate_name(self, label: int) -> str:
        """Name of a predicate label; IndexError if there is no such label."""
        return _name(self.predicates, label)


def _name(names: tuple[str, ...], label: int) -> str:
    if label == BACKGROUND:
        return BACKGROUND_NAME
    if not 0 < label <= len(names):
        raise IndexError(f"label {label} is not among 0..{len(names)}")
    return names[label - 1]


def read_name_pairs(path: Path) -> dict[str, str]:
    """Which mask class shows a scene-graph class, for classes that share a mask but not a name: {class: mask class}."""
    pairs = read_json(path)
    if not isinstance(pairs, dict) or not all(isinstance(name, str) for name in pairs.values()):
        raise DataError(path, "file", "is not one JSON object of names", 'write {"bike": "motorcycle", ...}')
    return pairs
