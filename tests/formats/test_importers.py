"""Predictions of other programs: both formats give the numbers of the same images built by hand."""

import gzip
import json

import numpy as np
import pytest
from read_files import predicate_columns, predicate_names, read_graphs, read_truths

from segsg.evaluation.metrics import metrics
from segsg.evaluation.ranks import Recall, evaluate
from segsg.formats.arrays import Column
from segsg.formats.fields import background_first


def records(images):
    """(truth record, prediction record) of each made image; the best class keeps label and score."""
    for truth, graph in images:
        labels, scores = graph.labels.numpy(), graph.scores.numpy()
        class_scores = np.zeros((len(labels), 4))
        class_scores[np.arange(len(labels)), labels] = scores
        true = {"boxes": truth.boxes, "classes": truth.labels, "relations": truth.relations}
        guess = {
            "boxes": graph.boxes_original.numpy(),
            "class_scores": class_scores,
            "pairs": graph.pairs.numpy(),
            "predicate_scores": graph.predicate_probabilities.numpy(),
        }
        yield {"image_id": graph.image_id} | true, {"image_id": graph.image_id} | guess


def as_line(record):
    return json.dumps({name: value.tolist() if isinstance(value, np.ndarray) else value
                       for name, value in record.items()})  # fmt: skip


def write_lines(path, found, header=None):
    lines = ([] if header is None else [json.dumps(header)]) + [as_line(record) for record in found]
    path.write_text("\n".join(lines) + "\n")


def write_arrays(path, found, counts, **header):
    names = [name for name in found[0] if name != "image_id"]
    joined = {name: np.concatenate([record[name] for record in found]) for name in names}
    numbers = {f"{name}_count": np.array([len(record[name]) for record in found]) for name in counts}
    np.savez(path, image_ids=np.array([record["image_id"] for record in found]), **joined, **numbers, **header)


@pytest.fixture
def images(make):
    images = []
    for truth, graph in make.images(40, 4, "sgdet"):
        graph.labels[:] = graph.labels.clamp(min=1)
        graph.scores[:] = graph.scores.clamp(min=0.1)
        images.append((truth, graph))
    return images


def measured(truths, graphs):
    return metrics(evaluate(truths, graphs, Recall("sgdet", 5)))


@pytest.mark.parametrize("kind", ["jsonl", "npz"])
def test_same_numbers_from_files(kind, images, tmp_path):
    true, found = zip(*records(images), strict=True)
    truths, graphs = tmp_path / f"truth.{kind}", tmp_path / f"predictions.{kind}"
    header = {"background_class": 0, "background_predicate": 0}
    if kind == "jsonl":
        write_lines(truths, true)
        write_lines(graphs, found, header)
    else:
        write_arrays(truths, true, ("boxes", "relations"))
        write_arrays(graphs, found, ("boxes", "pairs"), **header)
    expected = measured([truth for truth, _ in images], [graph for _, graph in images])
    assert 0 < expected["R@20"] < 1
    assert measured(read_truths(truths), read_graphs(graphs, 5)) == expected


@pytest.mark.parametrize("column", [-1, 2, None])
def test_background_in_any_column(column, images, tmp_path):
    true, found = zip(*records(images), strict=True)
    moved = []
    for record in found:
        scores = record["predicate_scores"]
        scores = scores[:, 1:] if column is None else np.insert(scores[:, 1:], 4 if column == -1 else column,
                                                               scores[:, 0], axis=1)  # fmt: skip
        moved.append(record | {"predicate_scores": scores, "class_scores": record["class_scores"][:, 1:]})
    write_lines(tmp_path / "truth.jsonl", true)
    write_lines(tmp_path / "found.jsonl", moved, {"background_class": None, "background_predicate": column})
    expected = measured([truth for truth, _ in images], [graph for _, graph in images])
    assert measured(read_truths(tmp_path / "truth.jsonl"), read_graphs(tmp_path / "found.jsonl", 5)) == expected


def test_background_first():
    scores = np.arange(6.0).reshape(2, 3)
    assert background_first(scores, 0, "").tolist() == scores.tolist()
    assert background_first(scores, -1, "").tolist() == [[2, 0, 1], [5, 3, 4]]
    assert background_first(scores, None, "").tolist() == [[0, 0, 1, 2], [0, 3, 4, 5]]
    with pytest.raises(ValueError, match="here: background in column 3 of 3"):
        background_first(scores, 3, "here")


HEADER = '{"background_class": 0, "background_predicate": 0}\n'
GOOD = {"image_id": 1, "boxes": [[0, 0, 1, 1], [0, 0, 2, 2]], "class_scores": [[0, 1], [0, 1]], "pairs": [[0, 1]],
        "predicate_scores": [[0.5, 0.5, 0, 0, 0]]}  # fmt: skip
WRONG = {
    "no header": (json.dumps(GOOD), "background_class is not named"),
    "empty file": ("", "empty; write one object for each image"),
    "not JSON": (HEADER + "{", "line 2: not JSON"),
    "not an object": (HEADER + "[1]", "line 2: not an object"),
    "no id": (HEADER + json.dumps(GOOD | {"image_id": "a"}), "line 2: 'image_id' must be a whole number"),
    "missing": (HEADER + json.dumps({k: v for k, v in GOOD.items() if k != "pairs"}), "line 2: 'pairs' is missing"),
    "ragged": (HEADER + json.dumps(GOOD | {"class_scores": [[0], [0, 1]]}), "'class_scores' is not a table"),
    "shape": (HEADER + json.dumps(GOOD | {"boxes": [[0, 0, 1], [0, 0, 2]]}), "'boxes' has shape (2, 3)"),
    "rows": (HEADER + json.dumps(GOOD | {"class_scores": [[0, 1]]}), "1 rows of 'class_scores' for 2 of 'boxes'"),
}


@pytest.mark.parametrize(("text", "rule"), WRONG.values(), ids=list(WRONG))
def test_wrong_lines(text, rule, tmp_path):
    path = tmp_path / "found.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"found\.jsonl") as error:
        list(read_graphs(path, 5))
    assert rule in str(error.value)


def test_wrong_arrays(images, tmp_path):
    true, _ = zip(*records(images), strict=True)
    write_arrays(tmp_path / "truth.npz", true, ("boxes",))
    with pytest.raises(ValueError, match=r"truth\.npz: lacks relations_count"):
        list(read_truths(tmp_path / "truth.npz"))
    np.savez(
        tmp_path / "short.npz",
        image_ids=np.arange(2),
        boxes=np.zeros((3, 4)),
        classes=np.ones(3, dtype=int),
        relations=np.zeros((0, 3), dtype=int),
        boxes_count=np.array([1, 1]),
        relations_count=np.zeros(2, dtype=int),
    )
    with pytest.raises(ValueError, match="boxes_count does not divide the 3 rows"):
        list(read_truths(tmp_path / "short.npz"))
    (tmp_path / "truth.csv").write_text("")
    with pytest.raises(ValueError, match=r"truth\.csv: the name must end in \.jsonl"):
        list(read_truths(tmp_path / "truth.csv"))
    with pytest.raises(ValueError, match=r"absent\.npz: no such file"):
        list(read_truths(tmp_path / "absent.npz"))


def test_files_in_different_orders(images, tmp_path):
    true, found = zip(*records(images), strict=True)
    write_lines(tmp_path / "truth.jsonl", true[::-1])
    write_lines(tmp_path / "found.jsonl", found, {"background_class": 0, "background_predicate": 0})
    with pytest.raises(ValueError, match="in the same order"):
        measured(read_truths(tmp_path / "truth.jsonl"), read_graphs(tmp_path / "found.jsonl", 5))


def test_a_chosen_class_with_its_score_is_as_good_as_all_scores(images, tmp_path):
    true, found = zip(*records(images), strict=True)
    chosen = [
        {name: value for name, value in record.items() if name != "class_scores"}
        | {"classes": graph.labels.numpy(), "scores": graph.scores.numpy()}
        for record, (_, graph) in zip(found, images, strict=True)
    ]
    header = {"background_class": None, "background_predicate": 0}
    write_lines(tmp_path / "truth.jsonl", true)
    write_lines(tmp_path / "lines.jsonl", chosen, header)
    write_arrays(tmp_path / "arrays.npz", chosen, ("boxes", "pairs"), **header | {"background_class": np.nan})
    expected = measured([truth for truth, _ in images], [graph for _, graph in images])
    for name in ("lines.jsonl", "arrays.npz"):
        assert measured(read_truths(tmp_path / "truth.jsonl"), read_graphs(tmp_path / name, 5)) == expected


def test_compressed_lines(images, tmp_path):
    true, _ = zip(*records(images), strict=True)
    write_lines(tmp_path / "truth.jsonl", true)
    packed = tmp_path / "truth.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "truth.jsonl").read_bytes()))
    assert [truth.image_id for truth in read_truths(packed)] == list(range(40))
    packed.write_bytes(packed.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"truth\.jsonl\.gz: cannot be unpacked"):
        list(read_truths(packed))


def test_an_archive_is_read_image_by_image(images, tmp_path, monkeypatch):
    _, found = zip(*records(images), strict=True)
    path = tmp_path / "found.npz"
    write_arrays(path, found, ("boxes", "pairs"), background_class=0, background_predicate=0)
    taken, take = [], Column.take

    def counted(column, rows):
        taken.append(rows)
        return take(column, rows)

    monkeypatch.setattr(Column, "take", counted)
    graphs = read_graphs(path, 5)
    next(graphs)
    assert sum(taken) < sum(len(record["pairs"]) for record in found)
    assert len(list(graphs)) == 39


def test_names_and_numbers_of_predicates(images, tmp_path):
    true, found = zip(*records(images), strict=True)
    listed = ("on", "under", "near", "of")
    write_lines(tmp_path / "truth.jsonl", true, {"predicate_names": listed})
    write_arrays(tmp_path / "truth.npz", true, ("boxes", "relations"), predicate_names=np.array(listed))
    for kind in ("jsonl", "npz"):
        assert predicate_names(tmp_path / f"truth.{kind}") == listed
        assert len(list(read_truths(tmp_path / f"truth.{kind}"))) == 40
    for column, number in ((0, 5), (None, 6)):
        header = {"background_class": 0, "background_predicate": column}
        write_lines(tmp_path / "found.jsonl", found, header)
        write_arrays(tmp_path / "found.npz", found, ("boxes", "pairs"), background_class=0,
                     background_predicate=np.nan if column is None else column)  # fmt: skip
        assert predicate_columns(tmp_path / "found.jsonl") == predicate_columns(tmp_path / "found.npz") == number
