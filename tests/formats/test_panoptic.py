"""Files of OpenPSG and sgbench: the numbers of that independent package, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from read_files import predicate_columns, predicate_names, read_graphs, read_truths

from segsg.evaluation.metrics import metrics
from segsg.evaluation.ranks import Recall, evaluate

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "sgbench"


def numbers(truth, predictions):
    return metrics(evaluate(read_truths(truth), read_graphs(predictions, 7), Recall("sgdet", 7)))


def test_the_numbers_of_sgbench():
    expected = json.loads((GOLDEN / "numbers.json").read_text())
    values = numbers(GOLDEN / "truth.json", GOLDEN / "predictions.json")
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert len(expected) == 6
    assert 0 < expected["R@20"] < expected["R@50"] < expected["R@100"] < 1


@pytest.fixture
def change(tmp_path):
    """Writes a golden file with its first image changed."""

    def change(name, edit):
        content = json.loads((GOLDEN / f"{name}.json").read_text())
        edit(content[{"truth": "data", "predictions": "images"}[name]][0], content)
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        return tmp_path / f"{name}.json"

    return change


def test_names():
    assert predicate_names(GOLDEN / "truth.json") == tuple(f"predicate {i}" for i in range(6))
    assert predicate_columns(GOLDEN / "predictions.json") is None


def test_layout_of_the_manual(change):
    def edit(image, content):
        for image in content["images"]:
            regions = image.pop("annotation")
            image["bboxes"] = [region["bbox"] for region in regions]
            image["categories"] = [region["category"] for region in regions]

    same = numbers(GOLDEN / "truth.json", change("predictions", edit))
    assert same == numbers(GOLDEN / "truth.json", GOLDEN / "predictions.json")


def test_widths_and_heights(change):
    def edit(image, content):
        for region in image["annotations"]:
            x1, y1, x2, y2 = region["bbox"]
            region |= {"bbox": [x1, y1, x2 - x1, y2 - y1], "bbox_mode": 1}

    changed, original = (next(read_truths(path)) for path in (change("truth", edit), GOLDEN / "truth.json"))
    assert np.array_equal(changed.boxes, original.boxes)


def test_only_test_images(change):
    path = change("truth", lambda image, content: content["test_image_ids"].remove(image["image_id"]))
    assert [truth.image_id for truth in read_truths(path)] == list(range(101, 116))


def test_order_repeats_and_several_predicates_of_a_pair(change):
    rows = [[0, 1, 2], [3, 1, 0], [0, 1, 2], [0, 1, 5]]
    graph = next(read_graphs(change("predictions", lambda image, content: image.update(triplets=rows)), 7))
    assert graph.pairs.tolist() == [[0, 1], [3, 1]]
    expected = np.zeros((2, 7))
    expected[0, 3], expected[1, 1], expected[0, 6] = 1, 2 / 3, 1 / 3
    assert graph.predicate_probabilities.numpy() == pytest.approx(expected)
    graph = next(read_graphs(change("predictions", lambda image, content: image.update(triplets=[])), 7))
    assert tuple(graph.predicate_probabilities.shape) == (0, 7)


WRONG = {
    "a string": ("predictions", {"triplets": "no"}, "image 100: 'triplets' is not a table of numbers"),
    "two columns": ("predictions", {"triplets": [[0, 1]]}, "image 100: 'triplets' has shape (1, 2)"),
    "more predicates than names": ("predictions", {"triplets": [[0, 1, 6]]}, "predicates 6..6, but the truths name 6"),
    "no boxes": ("predictions", {"annotation": [{"category": 1}]}, "image 100: 'bbox' is missing"),
    "id": ("predictions", {"id": "abc"}, "must be a whole number, not 'abc'"),
    "mode": ("truth", {"annotations": [{"bbox": [0, 0, 1, 1], "category_id": 0, "bbox_mode": 4}]}, "bbox_mode 4"),
    "relations": ("truth", {"relations": None}, "image 100: 'relations' is not a table"),
}


@pytest.mark.parametrize(("name", "fields", "rule"), WRONG.values(), ids=list(WRONG))
def test_wrong_images(name, fields, rule, change):
    path = change(name, lambda image, content: image.update(fields))
    with pytest.raises(ValueError, match=f"{name}\\.json") as error:
        list(read_truths(path) if name == "truth" else read_graphs(path, 7))
    assert rule in str(error.value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "not JSON"),
        ("PK", "a zip archive; files with masks are not read, give one with boxes"),
        ("{}", "no list 'images'"),
        ('{"images": []}', "empty; no image"),
    ],
)
def test_wrong_files(text, rule, tmp_path):
    (tmp_path / "found.json").write_text(text)
    with pytest.raises(ValueError, match=r"found\.json") as error:
        list(read_graphs(tmp_path / "found.json", 7))
    assert rule in str(error.value)
