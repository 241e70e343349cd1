"""Sources of `segsg convert`: every file spoilt whole, every value of its JSON and CSV replaced."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kinds
import made
from harness import Case
from kinds import MISSING, VALUES, put
from PIL import Image

from segsg import cli

BOX, OTHER = {"category": 0, "bbox": [5, 20, 4, 30]}, {"category": 1, "bbox": [0, 40, 0, 50]}
VRD = {"a.jpg": [{"subject": BOX, "object": OTHER, "predicate": 0}]}
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48, "coco_id": 3}],
    "annotations": [{"id": number, "image_id": 1, "category_id": number, "bbox": [4, 5, 20, 20 + number]}
                    for number in (1, 2)],
    "rel_annotations": [{"image_id": 1, "subject_id": 1, "object_id": 2, "predicate_id": 1}],
    "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "table"}],
    "rel_categories": [{"id": 1, "name": "on"}],
}  # fmt: skip
BOXES = [["image", "box", "class", "x1", "y1", "x2", "y2", "split"],
         ["a.jpg", "1", "cup", "4", "5", "30", "20", "train"], ["a.jpg", "2", "table", "0", "0", "50", "40", "train"],
         ["b.jpg", "1", "cup", "4", "5", "30", "20", "test"]]  # fmt: skip
RELATIONS = [["image", "subject", "predicate", "object"], ["a.jpg", "1", "on", "2"]]
TEST = {"vrd": {"b.jpg": VRD["a.jpg"]}, "coco-relations": put(COCO, ("images", 0, "file_name"), "b.jpg")}
FILES = {
    "vrd": {"train": VRD, "test": TEST["vrd"], "classes": ["cup", "table"], "predicates": ["on"]},
    "coco-relations": {"train": COCO, "test": TEST["coco-relations"]},
    "csv": {"boxes": BOXES, "relations": RELATIONS},
}


def _case(source: str, name: str, change: Callable[[Path], Any], **more: Any) -> Case:
    def build(folder: Path) -> None:
        (folder / "photos").mkdir()
        for photo in ("a.jpg", "b.jpg"):
            Image.new("RGB", (64, 48)).save(folder / "photos" / photo)
        for file, content in FILES[source].items():
            _write(folder / file, content, source)
        change(folder)

    def act(_folder: Path) -> int:
        files = [word for file in FILES[source] for word in (f"--{file}", file)]
        return cli.main(["convert", "--from", source, *files, "--photos", "photos", "--out", "out"])

    return Case(f"convert/{source}/{name}", build, act, **more)


def _write(path: Path, content: Any, source: str) -> None:
    made.write(path, "".join(",".join(row) + "\n" for row in content) if source == "csv" else content)


def _places(content: Any, before: tuple = ()) -> Iterator[tuple]:
    parts = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, part in parts:
        yield (*before, key)
        yield from _places(part, (*before, key))


def cases() -> Iterator[Case]:
    """All cases of this module."""
    for source, files in FILES.items():
        yield _case(source, "valid", lambda f: None, expect="right")
        for file, content in files.items():
            for kind, spoil in kinds.FILES.items():
                yield _case(source, f"{file}/{kind}", lambda f, s=spoil, p=file: s(f / p), expect="either")
            values = VALUES | {"missing": MISSING} if source != "csv" else {"no text": "", "text": "x", "NaN": "nan"}
            for place in _places(content):
                for name, value in values.items():
                    if source == "csv" and len(place) == 1:
                        continue
                    changed = put(content, place, value)
                    where = "/".join(map(str, place))
                    yield _case(
                        source,
                        f"{file}/{where}/{name}",
                        lambda f, p=file, c=changed, s=source: _write(f / p, c, s),
                        expect="either",
                        one_of_many=True,
                    )
