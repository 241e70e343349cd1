"""What is written is what is read again, to the last bit, or nothing is written."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from read_files import predicate_names, read_graphs, read_truths

from segsg.formats.lines import write_graphs, write_truths


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
def test_there_and_back(ending, make, tmp_path):
    images = [(replace(truth, image_id=graph.image_id), graph) for truth, graph in make.images(20, 1, "sgdet")]
    random = np.random.default_rng(0)
    for _, graph in images:
        graph.predicate_probabilities[:] = torch.from_numpy(random.random(tuple(graph.predicate_probabilities.shape)))
        graph.scores[:] = torch.from_numpy(random.random(len(graph.scores)) ** 20)
    write_truths(tmp_path / f"truth{ending}", (truth for truth, _ in images), ("a", "b", "c", "d"))
    write_graphs(tmp_path / f"found{ending}", (graph for _, graph in images))
    assert predicate_names(tmp_path / f"truth{ending}") == ("a", "b", "c", "d")
    for (truth, _), read in zip(images, read_truths(tmp_path / f"truth{ending}"), strict=True):
        for name in ("boxes", "labels", "relations"):
            assert np.array_equal(getattr(truth, name), getattr(read, name))
    for (_, graph), read in zip(images, read_graphs(tmp_path / f"found{ending}", 5), strict=True):
        for name in ("boxes_original", "labels", "scores", "pairs", "predicate_probabilities"):
            assert torch.equal(getattr(graph, name), getattr(read, name)), name
        assert graph.image_id == read.image_id


def test_equal_content_gives_equal_bytes(make, tmp_path):
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_graphs(tmp_path / name, (graph for _, graph in make.images(3, 1, "sgdet")))
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_failure_leaves_nothing(make, tmp_path):
    def broken():
        yield make.images(1, 1, "sgdet")[0][1]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_graphs(tmp_path / "found.jsonl.gz", broken())
    assert not list(tmp_path.iterdir())
