"""`python -m segsg.photos.train_relations` from files to folder, and how it chooses."""

import json

import numpy as np
import pytest
import torch
from made_vrd import CLASSES, PREDICATES, write
from torch.testing import assert_close

from segsg.files import DataError
from segsg.photos.relater import load_relater
from segsg.photos.relation_pairs import relation_pairs
from segsg.photos.train_relations import LIFTS, MEASURES, chosen_lift, main, rarity, surest


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vrd")
    (folder / "also.txt").write_text("pony\n\nperson\n")
    options = [*write(folder), "--also", str(folder / "also.txt"), "--out", str(folder / "out")]
    assert main([*options, "--epochs", "30", "--folds", "2", "--resamples", "20"]) == 0
    return folder / "out"


def test_a_set_that_can_be_learned_is_learned(trained):
    """Names alone cannot tell who rides: the frequency table finds half of those relations."""
    test = json.loads((trained / "results.json").read_text())["test"]
    assert test["photos"] == 17 and set(test["metrics"]) == set(MEASURES)
    cell = test["metrics"]["R@20"]
    assert cell["system"] > 0.85 and cell["difference"] == pytest.approx(cell["system"] - cell["baseline"])
    assert cell["baseline"] < 0.8


def test_it_says_which_photos_it_saw(trained):
    seen = json.loads((trained / "photos.json").read_text())
    assert seen["trained"] and seen["judged"]
    known = json.loads((trained / "relater.json").read_text())["measured"]
    assert known["reliability"] == json.loads((trained / "results.json").read_text())["test"]["reliability"]


def test_its_choices_can_be_read(trained):
    choices = json.loads((trained / "results.json").read_text())["choices"]
    assert [float(lift) for lift in choices["tried"]] == list(LIFTS) and choices["lift"] in LIFTS
    before, after = (choices["reliability"][when]["error"] for when in ("before", "after"))
    assert after <= before + 0.02
    assert 0 < choices["shown"]["precision"] <= 1


def test_the_folder_answers_for_every_name(trained):
    relater = load_relater(trained)
    assert relater.names == (*CLASSES, "pony") and relater.predicates == PREDICATES
    boxes = torch.tensor([[10.0, 10, 40, 40], [12, 25, 46, 59], [150, 40, 180, 70]])
    said = relater.relate(["person", "pony", "pony"], boxes, torch.tensor([[0, 1], [0, 2]]))
    assert said[0, 1] > said[1, 1]
    assert sum(path.stat().st_size for path in trained.iterdir()) < 3 * 2**20


def test_a_predicate_gets_what_it_is_rarer_than_the_most_frequent_one():
    holds = torch.zeros(20, 4, dtype=torch.bool)
    holds[:9, 1], holds[9:13, 2] = True, True
    assert_close(rarity(holds), torch.tensor([0, 0, np.log(10 / 5), np.log(10 / 1)], dtype=torch.float32))


def test_the_lift_is_the_best_among_the_cheap():
    tried = {0.0: (0.5, 0.1), 0.1: (0.49, 0.2), 0.2: (0.481, 0.3), 0.3: (0.47, 0.9)}
    assert chosen_lift({lift: {"R@50": r, "mR@50": mr} for lift, (r, mr) in tried.items()}) == 0.2


def test_the_surest_predicate_of_each_pair():
    boxes = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6]])
    pairs = relation_pairs([(boxes, torch.tensor([1, 2]), torch.tensor([[0, 1, 2]]))], 3)
    best = surest(torch.tensor([[0.9, 0.2, 0.7], [0.1, 0.6, 0.3]]), pairs)
    assert best.so.tolist() == [True, False]
    assert_close(torch.from_numpy(best.said), torch.tensor([0.7, 0.6]))


def test_a_word_without_a_vector_is_named(tmp_path):
    options = write(tmp_path)
    (tmp_path / "words.txt").write_text("person 1 2\nhorse 2 1\n")
    with pytest.raises(DataError, match="word 'hat' of 'hat': has no vector"):
        main([*options, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
