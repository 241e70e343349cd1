"""The annotation files of the Visual Relationship Detection set (Lu et al., ECCV 2016), as its authors ship them.

`segsg.data.vrd` says what they hold, and reads them.
"""

from collections.abc import Mapping
from pathlib import Path

from segsg.data.visual_genome import read_vocabulary
from segsg.data.vrd import RelationSet
from segsg.data.words import Vocabulary, check_names
from segsg.files import DataError, read_json
from segsg.formats.annotated import WITH_ITSELF, AnnotatedSet, Photo, Split, annotated, photo
from segsg.values import proper_name


def read(splits: Mapping[Split, Path], classes: Path, predicates: Path) -> AnnotatedSet:
    """The photos of the files of both splits. DataError at the first entry that breaks a rule.

    `classes` and `predicates` are JSON lists of names, or both one VG-SGG-dicts.json.
    """
    vocabulary = Vocabulary(_names(classes, "classes"), _names(predicates, "predicates"))
    sets = {split: RelationSet.read(path, vocabulary) for split, path in splits.items()}
    photos = [each for split, found in sets.items() for each in _photos(splits[split], split, found)]
    alone = sum(found.alone for found in sets.values())
    return annotated(next(iter(splits.values())), vocabulary, photos, {WITH_ITSELF: alone} if alone else None)


def _names(path: Path, kind: str) -> tuple[str, ...]:
    content = read_json(path)
    if type(content) is dict:
        return getattr(read_vocabulary(path), kind)
    if type(content) is not list:
        raise DataError(path, "file", f"is no list of names of {kind}", "give a JSON list, or a VG-SGG-dicts.json")
    check_names(path, kind, content)
    return tuple(content)


def _photos(path: Path, split: Split, found: RelationSet) -> list[Photo]:
    for name in found.names:
        proper_name(path, "photo", name)
    parts = ([part.tolist() for part in found.annotation(index)] for index in range(len(found)))
    return [photo(name, split, *each) for name, each in zip(found.names, parts, strict=True)]
