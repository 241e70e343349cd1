"""Files of Scene-Graph-Benchmark, made here with its class names, and files that try to run code."""

import os
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from read_files import predicate_columns, read_graphs, read_truths

from segsg.evaluation.metrics import metrics
from segsg.evaluation.protocol import SCENE_GRAPH_BENCHMARK
from segsg.evaluation.ranks import Recall, evaluate


class BoxList:
    """With the attributes that the benchmark's class has."""

    def __init__(self, bbox, mode="xyxy", **fields):
        self.bbox, self.size, self.mode = bbox, (640, 480), mode
        self.extra_fields, self.triplet_extra_fields = fields, []


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Writes a file in which BoxList has the name that it has in the benchmark, whose modules are not there later."""

    def save(content, package="maskrcnn_benchmark", **options):
        module = types.ModuleType(f"{package}.structures.bounding_box")
        module.BoxList = BoxList
        with monkeypatch.context() as patch:
            patch.setattr(BoxList, "__module__", module.__name__)
            for name in (package, f"{package}.structures"):
                patch.setitem(sys.modules, name, types.ModuleType(name))
            patch.setitem(sys.modules, module.__name__, module)
            torch.save(content, tmp_path / "eval_results.pytorch", **options)
        return tmp_path / "eval_results.pytorch"

    return save


def as_boxlists(truth, graph, mode="xyxy"):
    def boxes(values):
        values = torch.as_tensor(values)
        return values if mode == "xyxy" else torch.cat([values[:, :2], values[:, 2:] - values[:, :2] + 1], dim=1)

    true = BoxList(boxes(truth.boxes), mode, labels=torch.as_tensor(truth.labels),
                   relation_tuple=torch.as_tensor(truth.relations))  # fmt: skip
    pairs, scores = graph.pairs, graph.predicate_probabilities
    if not len(pairs):
        pairs, scores = torch.tensor([[0, 0]]), torch.full((1, 5), 0.2)
    found = BoxList(boxes(graph.boxes_original), mode, pred_labels=graph.labels, pred_scores=graph.scores,
                    rel_pair_idxs=pairs, pred_rel_scores=scores)  # fmt: skip
    return true, found


@pytest.fixture
def images(make):
    return make.images(30, 4, "sgdet")


@pytest.mark.parametrize("mode", ["xyxy", "xywh"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_same_numbers_as_by_hand(mode, zipped, images, save):
    true, found = zip(*(as_boxlists(*image, mode) for image in images), strict=True)
    content = {"groundtruths": list(true), "predictions": list(found)}
    path = save(content, _use_new_zipfile_serialization=zipped)
    expected = metrics(evaluate(*zip(*images, strict=True), Recall("sgdet", 5)))
    assert 0 < expected["R@20"] < 1
    assert metrics(evaluate(read_truths(path), read_graphs(path, 5), Recall("sgdet", 5))) == expected
    assert predicate_columns(path) == 5


@pytest.mark.parametrize("package", ["pysgg", "sgg_benchmark", "maskrcnn_benchmark"])
def test_files_of_descendants_are_read(package, images, save):
    true, found = as_boxlists(*images[0])
    path = save({"groundtruths": [true], "predictions": [found]}, package)
    assert len(list(read_truths(path))) == len(list(read_graphs(path, 5))) == 1


def test_an_image_with_the_placeholder_alone_counts_zero_under_the_benchmark(images, save):
    truth, graph = next((truth, graph) for truth, graph in images if len(truth.relations))
    nothing = replace(graph, pairs=graph.pairs[:0], predicate_probabilities=graph.predicate_probabilities[:0])
    true, found = as_boxlists(truth, nothing)
    assert found.extra_fields["rel_pair_idxs"].tolist() == [[0, 0]]
    path = save({"groundtruths": [true], "predictions": [found]})
    ranks = evaluate(read_truths(path), read_graphs(path, 5), Recall("sgdet", 5, None, None, SCENE_GRAPH_BENCHMARK))
    assert metrics(ranks)["R@100"] == 0


def test_a_tensor_that_repeats_one_number_is_refused(images, save):
    true, found = as_boxlists(*images[0])
    found.extra_fields["pred_scores"] = torch.ones(1).expand(400_000_000)
    with pytest.raises(ValueError, match="'pred_scores' is a tensor that does not hold its own numbers"):
        list(read_graphs(save({"groundtruths": [true], "predictions": [found]}), 5))


class Attack:
    """Runs a command when it is read by a reader that trusts it."""

    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("place", ["predictions", "field"])
def test_code_in_a_file_is_refused_and_not_run(place, zipped, tmp_path, images, save):
    true, found = as_boxlists(*images[0])
    attack = Attack(tmp_path / "was_here")
    if place == "field":
        found.extra_fields["pred_scores"] = attack
    content = {"groundtruths": [true], "predictions": [found] if place == "field" else attack}
    path = save(content, _use_new_zipfile_serialization=zipped)
    for read in (read_truths, predicate_columns):
        with pytest.raises(ValueError, match=r"eval_results\.pytorch: refused; only tensors"):
            list(read(path) or ())
    assert not attack.target.exists()
    command, arguments = attack.__reduce__()
    command(*arguments)
    assert attack.target.exists(), "the attack is one"


def test_another_class_is_refused(images, save):
    path = save({"groundtruths": [Path("a")], "predictions": []})
    with pytest.raises(ValueError, match="refused"):
        list(read_truths(path))


def test_damaged_and_other_files(tmp_path, images, save):
    true, found = as_boxlists(*images[0])
    path = save({"groundtruths": [], "predictions": []})
    with pytest.raises(ValueError, match="empty; no image"):
        list(read_truths(path))
    with pytest.raises(ValueError, match="no list 'predictions' of BoxList"):
        list(read_truths(save({"groundtruths": [true]})))
    del found.extra_fields["rel_pair_idxs"]
    path = save({"groundtruths": [true], "predictions": [found]})
    with pytest.raises(ValueError, match="prediction of image 0: no tensor 'rel_pair_idxs' among its fields pred_"):
        list(read_graphs(path, 5))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"eval_results\.pytorch: refused"):
        list(read_truths(path))
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"eval_results\.pytorch: refused"):
        list(read_truths(path))
