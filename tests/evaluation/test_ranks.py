"""The compact file: what goes in comes out, and nothing half-written stays."""

import dataclasses

import numpy as np
import pytest

from segsg.evaluation import ranks as module
from segsg.evaluation.metrics import metrics
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Recall, evaluate, load, save
from segsg.files import seal


@pytest.fixture
def ranks(make):
    images = make.images(8, 3, "sgdet")
    recall = Recall("sgdet", 5, np.array([[1, 1, 1], [2, 3, 1]]), np.array([0, 4, 3, 2, 1]), Protocol(most_boxes=40))
    return evaluate([truth for truth, _ in images], [graph for _, graph in images], recall)


@pytest.mark.parametrize("optional", [True, False])
def test_round_trip(ranks, optional, tmp_path):
    if not optional:
        ranks = dataclasses.replace(ranks, zero_shot=None, training_counts=None)
    save(tmp_path / "ranks.npz", ranks)
    again = load(tmp_path / "ranks.npz")
    for field in dataclasses.fields(ranks):
        first, second = getattr(ranks, field.name), getattr(again, field.name)
        assert np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second, field.name
    assert metrics(again) == pytest.approx(metrics(ranks), nan_ok=True)
    assert [path.name for path in tmp_path.iterdir()] == ["ranks.npz"]


def test_ranks_of_some_images_are_those_of_an_evaluation_of_these_alone(make):
    images = make.images(8, 3, "sgdet")

    def evaluated(chosen):
        recall = Recall("sgdet", 5, np.array([[1, 1, 1], [2, 3, 1]]), np.array([0, 4, 3, 2, 1]))
        return evaluate([images[i][0] for i in chosen], [images[i][1] for i in chosen], recall)

    everything, kept = evaluated(range(8)), [1, 2, 6]
    ids = [images[i][1].image_id for i in kept]
    some = everything.among(np.isin(everything.image_ids, ids))
    alone = evaluated(kept)
    for field in dataclasses.fields(alone):
        first, second = getattr(some, field.name), getattr(alone, field.name)
        assert np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second, field.name


def test_equal_ranks_give_equal_bytes(ranks, tmp_path):
    save(tmp_path / "a.npz", ranks)
    save(tmp_path / "b.npz", ranks)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_failed_write_leaves_the_old_file(ranks, tmp_path, monkeypatch):
    save(tmp_path / "ranks.npz", ranks)
    before = (tmp_path / "ranks.npz").read_bytes()

    def broken(*arguments, **keywords):
        raise OSError("disk full")

    monkeypatch.setattr(module.np, "savez_compressed", broken)
    with pytest.raises(OSError, match="disk full"):
        save(tmp_path / "ranks.npz", ranks)
    assert (tmp_path / "ranks.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_files_that_are_no_ranks(tmp_path):
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", boxes=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", header=np.array([{}], dtype=object))
    for name, rule in (
        ("text", "not a file of ranks"),
        ("other", "lacks 'header'"),
        ("pickled", "not a file of ranks"),
    ):
        with pytest.raises(ValueError, match=rule) as error:
            load(tmp_path / f"{name}.npz")
        assert f"{name}.npz" in str(error.value)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.npz")


def same(first, second) -> bool:
    """Whether all fields of two ranks are equal."""
    pairs = [(getattr(first, field.name), getattr(second, field.name)) for field in dataclasses.fields(first)]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_flipped_bit_or_a_cut_changes_no_rank_without_a_word(ranks, tmp_path, sealed):
    path = tmp_path / "ranks.npz"
    save(path, ranks)
    content = path.read_bytes()
    if sealed:
        seal(tmp_path)
    refused = 0
    for place in range(0, len(content), 11):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]):
            path.write_bytes(damaged)
            try:
                assert same(load(path), ranks)
            except ValueError as error:
                assert str(path) in str(error)
                refused += 1
    assert refused == 2 * len(range(0, len(content), 11)) if sealed else refused > len(content) / 11
