"""Writes truth.json and predictions.json at random, and numbers.json with what sgbench 1.0.0 makes of them.

sgbench wants NumPy below 2, the project NumPy 2; so this runs in an environment of its own:

    python3.11 -m venv /tmp/sgbench && /tmp/sgbench/bin/pip install "sgbench[all]==1.0.0" "numpy<2"
    /tmp/sgbench/bin/python tests/golden/sgbench/make.py

The images avoid what sgbench does differently (docs/formats.md): true boxes of one class do not touch, since it lets
a predicted box stand for one true box only; relations are not repeated, since it drops repeats; every predicate
occurs, since its mean is NaN otherwise; every image has predictions.
"""

import json
from pathlib import Path

import numpy as np
from sgbench.file import evaluate

HERE = Path(__file__).parent
IMAGES, BOXES, FOUND, TRIPLETS, RELATIONS = 16, 9, 24, 160, 7
CLASSES, PREDICATES = 4, 6


def touching(a, b):
    return min(a[2], b[2]) >= max(a[0], b[0]) and min(a[3], b[3]) >= max(a[1], b[1])


def true_image(image_id, random):
    regions = []
    while len(regions) < BOXES:
        corner, side = random.integers(0, 300, 2), random.integers(20, 120, 2)
        box, label = [*corner.tolist(), *(corner + side).tolist()], int(random.integers(CLASSES))
        if not any(r["category_id"] == label and touching(r["bbox"], box) for r in regions):
            regions.append({"bbox": box, "bbox_mode": 0, "category_id": label})
    rows = set()
    while len(rows) < RELATIONS:
        subject, role_object = random.choice(BOXES, 2, replace=False).tolist()
        rows.add((subject, role_object, int(random.integers(PREDICATES))))
    return {"image_id": str(image_id), "annotations": regions, "relations": sorted(rows)}


def predicted_image(true, random):
    """Boxes near true ones, some with a wrong class; true relations somewhere in a random order of pairs."""
    source = random.integers(0, BOXES, FOUND)
    boxes = np.array([r["bbox"] for r in true["annotations"]], dtype=float)[source] + random.normal(0, 7, (FOUND, 4))
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    right = np.array([r["category_id"] for r in true["annotations"]])[source]
    labels = np.where(random.random(FOUND) < 0.8, right, random.integers(0, CLASSES, FOUND))
    pairs = [(s, o) for s in range(FOUND) for o in range(FOUND) if s != o]
    known = {row[:2]: row[2] for row in true["relations"]}
    triplets = []
    for place in random.permutation(len(pairs))[:TRIPLETS]:
        s, o = pairs[place]
        guess = known.get((int(source[s]), int(source[o])), int(random.integers(PREDICATES)))
        triplets.append([s, o, guess])
    found = zip(labels.tolist(), boxes.round(1).tolist(), strict=True)
    annotation = [{"category": label, "bbox": box} for label, box in found]
    return {"id": true["image_id"], "annotation": annotation, "triplets": triplets}


def main():
    random = np.random.default_rng(0)
    data = [true_image(100 + i, random) for i in range(IMAGES)]
    images = [predicted_image(true, random) for true in data]
    assert {row[2] for true in data for row in true["relations"]} == set(range(PREDICATES))
    truth = {
        "data": data,
        "thing_classes": [f"class {i}" for i in range(CLASSES)],
        "stuff_classes": [],
        "predicate_classes": [f"predicate {i}" for i in range(PREDICATES)],
        "test_image_ids": [true["image_id"] for true in data],
    }
    for name, content in (("truth", truth), ("predictions", {"version": 1, "images": images})):
        (HERE / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
    numbers = evaluate(HERE / "truth.json", HERE / "predictions.json")
    kept = {name: float(value) for name, value in numbers.items() if name.startswith(("R@", "mR@"))}
    (HERE / "numbers.json").write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
