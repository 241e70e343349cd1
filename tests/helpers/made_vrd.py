"""A tiny set in VRD's own format, in which names say half of the predicate and boxes the other half."""

import json
import random
from pathlib import Path

CLASSES = ("person", "horse", "hat")
PREDICATES = ("ride", "near", "wear")
WORDS = {"person": [1.0, 0.0, 0.5], "horse": [0.0, 1.0, 0.5], "hat": [0.0, 0.0, -1.0], "pony": [0.1, 0.9, 0.4]}


def _box(left, top, side):
    return [top, top + side, left, left + side]


def photo(draw):
    """A person on a horse or far from it, sometimes with a hat; the only relations are these."""
    side, rides = draw.randint(20, 40), draw.random() < 0.5
    left, top = draw.randint(0, 50), draw.randint(0, 50)
    person = {"category": 0, "bbox": _box(left, top, side)}
    away = (2, side // 2) if rides else (4 * side, side)
    horse = {"category": 1, "bbox": _box(left + away[0], top + away[1], side + 4)}
    relations = [{"subject": person, "predicate": 0 if rides else 1, "object": horse}]
    if draw.random() < 0.6:
        hat = {"category": 2, "bbox": _box(left + 4, top - 2, side // 4)}
        relations.append({"subject": person, "predicate": 2, "object": hat})
    return relations


def write(folder: Path, train=40, test=16):
    """The options of `segsg.photos.train_relations` for a set written to `folder`; one test photo has no relation."""
    draw = random.Random(0)
    files = {
        "train": {f"{i}.jpg": photo(draw) for i in range(train)},
        "test": {f"t{i}.jpg": photo(draw) for i in range(test)} | {"empty.jpg": []},
        "objects": list(CLASSES),
        "predicates": list(PREDICATES),
    }
    options = []
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
        options += [f"--{name}", str(folder / f"{name}.json")]
    lines = (" ".join([word, *map(str, numbers)]) for word, numbers in WORDS.items())
    (folder / "words.txt").write_text("\n".join(lines) + "\n")
    return [*options, "--words", str(folder / "words.txt")]
