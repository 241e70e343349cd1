"""Whatever stands in a field of a file: the numbers come out, or a ValueError that names the file."""

import copy
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from read_files import predicate_columns, predicate_names, read_graphs, read_truths

from segsg.formats.benchmark import Benchmark, BoxList

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "sgbench"
JUNK = [None, "x", "", 3, -1, 2.5, float("nan"), float("inf"), True, [], {}, [[]], [None], ["x"], [[1]], [[1, 2, 3, 4]],
        [[0, 1, 2]], [{"bbox": 1}], {"bbox": [1]}, 10**30, [[10**30, 1, 1]], [[0, 1], [1]]]  # fmt: skip
TRUTH = [
    {"predicate_names": ["a", "b"]},
    {"image_id": 1, "boxes": [[0, 0, 5, 5], [1, 1, 4, 4]], "classes": [1, 2], "relations": [[0, 1, 2]]},
]
FOUND = [{"background_class": None, "background_predicate": 0},
         {"image_id": 1, "boxes": [[0, 0, 5, 5], [1, 1, 4, 4]], "class_scores": [[0.1, 0.9], [0.5, 0.5]],
          "pairs": [[0, 1]], "predicate_scores": [[0.1, 0.2, 0.7]]}]  # fmt: skip


def read(truth: Path, found: Path) -> None:
    predicate_names(truth)
    predicate_columns(found)
    list(read_truths(truth))
    list(read_graphs(found, 3))


def places(value, path=()):
    """Paths of everything inside JSON, the first two entries of lists."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value[:2]):
            yield from places(item, (*path, index))


def changed(value, path, junk):
    if not path:
        return junk
    value = copy.copy(value)
    value[path[0]] = changed(value[path[0]], path[1:], junk)
    return value


def survives(truth: Path, found: Path) -> None:
    try:
        read(truth, found)
    except ValueError as error:
        assert str(truth.parent) in str(error)


@pytest.mark.parametrize("which", ["truth", "found"])
def test_lines(which, tmp_path):
    contents = {"truth": TRUTH, "found": FOUND}
    for path in list(places(contents[which]))[1:]:
        for junk in random.Random(str(path)).sample(JUNK, 8):
            for name, content in (contents | {which: changed(contents[which], path, junk)}).items():
                (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, content)))
            survives(tmp_path / "truth.jsonl", tmp_path / "found.jsonl")


@pytest.mark.parametrize("which", ["truth", "predictions"])
def test_panoptic(which, tmp_path):
    contents = {name: json.loads((GOLDEN / f"{name}.json").read_text()) for name in ("truth", "predictions")}
    contents["truth"]["data"], contents["predictions"]["images"] = (
        contents["truth"]["data"][:1], contents["predictions"]["images"][:1])  # fmt: skip
    contents["predictions"]["images"][0]["triplets"] = [[0, 1, 1], [1, 2, 0]]
    for path in places(contents[which]):
        for junk in random.Random(str(path)).sample(JUNK, 5):
            for name, content in (contents | {which: changed(contents[which], path, junk)}).items():
                (tmp_path / f"{name}.json").write_text(json.dumps(content))
            survives(tmp_path / "truth.json", tmp_path / "predictions.json")


TENSORS = [torch.zeros(0), torch.tensor(3), torch.ones(2), torch.ones(2, 3), torch.ones(1, 2, 2), torch.ones(4, 0),
           torch.tensor([[float("nan")] * 3])]  # fmt: skip


@pytest.mark.parametrize("junk", [*JUNK, *TENSORS], ids=str)
def test_boxlists(junk, monkeypatch):
    good = {"bbox": torch.tensor([[0.0, 0, 1, 1], [0, 0, 2, 2]]), "mode": "xyxy"}
    fields = {"labels": torch.tensor([1, 2]), "relation_tuple": torch.tensor([[0, 1, 2]]),
              "pred_labels": torch.tensor([1, 2]), "pred_scores": torch.ones(2),
              "rel_pair_idxs": torch.tensor([[0, 1]]), "pred_rel_scores": torch.full((1, 3), 0.3)}  # fmt: skip
    spoilt = [(good | {name: junk}, fields) for name in good] + [(good, fields | {name: junk}) for name in fields]
    for attributes, own in [*spoilt, (good, junk)]:
        item = BoxList()
        item.__dict__ |= attributes | {"extra_fields": own}
        monkeypatch.setattr(Benchmark, "_load", lambda self, i=item: {"groundtruths": [i], "predictions": [i]})
        file = Benchmark(Path("file"))
        for images in (file.truths(), file.graphs(3)):
            try:
                next(images)()
            except ValueError as error:
                assert "file" in str(error)


ARRAYS = [np.zeros(0), np.array(3), np.array(-1), np.array([-1, 3]), np.array(["a"]), np.ones((2, 2)),
          np.array([2.5]), np.asfortranarray(np.ones((2, 4)))]  # fmt: skip


@pytest.mark.parametrize("junk", ARRAYS, ids=str)
def test_arrays(junk, tmp_path):
    truth = {"image_ids": [1], "boxes": np.ones((2, 4)), "classes": [1, 2], "relations": [[0, 1, 2]],
             "boxes_count": [2], "relations_count": [1]}  # fmt: skip
    found = {"image_ids": [1], "boxes": np.ones((2, 4)), "class_scores": np.ones((2, 2)), "pairs": [[0, 1]],
             "predicate_scores": np.ones((1, 3)), "boxes_count": [2], "pairs_count": [1],
             "background_class": np.nan, "background_predicate": 0}  # fmt: skip
    for name, content in (("truth", truth), ("found", found)):
        for field in content:
            np.savez(tmp_path / "truth.npz", **truth)
            np.savez(tmp_path / "found.npz", **found)
            np.savez(tmp_path / f"{name}.npz", **content | {field: junk})
            survives(tmp_path / "truth.npz", tmp_path / "found.npz")


def test_damaged_archives(tmp_path):
    np.savez_compressed(tmp_path / "truth.npz", image_ids=[1], boxes=np.ones((2, 4)), classes=[1, 2],
                        relations=[[0, 1, 2]], boxes_count=[2], relations_count=[1])  # fmt: skip
    whole = (tmp_path / "truth.npz").read_bytes()
    for place in range(0, len(whole), 7):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        (tmp_path / "truth.npz").write_bytes(spoilt)
        try:
            list(read_truths(tmp_path / "truth.npz"))
        except ValueError as error:
            assert "truth.npz" in str(error)
