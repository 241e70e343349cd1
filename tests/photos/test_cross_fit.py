"""Networks judge photos that they never saw; a set that can be learned is learned."""

import random

import pytest
import torch
from made_vrd import CLASSES, PREDICATES, WORDS, photo
from torch.testing import assert_close

from segsg.data.vrd import RelationSet
from segsg.data.words import Vocabulary
from segsg.evaluation.ranks import Recall
from segsg.files import to_json
from segsg.photos.cross_fit import NameVectors, Numbers, cross_fit, folds_of, train
from segsg.photos.relation_pairs import ranks_of, relation_pairs

SMALL = Numbers(learning_rate=0.02, folds=2, epochs=150, batch=32, hidden=16, warmup=5, dropout=0.0, thinned=2)
VECTORS = torch.tensor([WORDS[name] for name in CLASSES])


@pytest.fixture
def annotations(tmp_path):
    draw = random.Random(1)
    path = tmp_path / "annotations.json"
    path.write_text(to_json({f"{i}.jpg": photo(draw) for i in range(20)} | {"empty.jpg": []}))
    photos = RelationSet.read(path, Vocabulary(CLASSES, PREDICATES))
    return [photos.annotation(i) for i in range(len(photos))]


def test_pairs_are_all_ordered_ones_with_all_their_predicates():
    boxes = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6], [9, 9, 10, 10]])
    one = boxes, torch.tensor([1, 2, 3]), torch.tensor([[0, 1, 1], [0, 1, 2], [2, 0, 3]])
    pairs = relation_pairs([one, (boxes[:1], torch.tensor([2]), torch.zeros(0, 3, dtype=torch.long))], 4)
    assert pairs.pairs.tolist() == [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]] and pairs.photo.tolist() == [0] * 6
    assert pairs.subjects.tolist() == [1, 1, 2, 2, 3, 3] and pairs.objects.tolist() == [2, 3, 1, 3, 1, 2]
    assert pairs.holds.int().tolist() == [
        [0, 1, 1, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [1, 0, 0, 0],
    ]


def test_whoever_says_what_is_annotated_finds_everything(annotations):
    pairs = relation_pairs(annotations, len(PREDICATES) + 1)
    ranks = ranks_of(annotations, pairs, pairs.holds.float(), Recall("predcls", len(PREDICATES) + 1))
    assert len(ranks) == 21 and (ranks.constrained < 2).all()


def test_folds_share_the_photos_equally():
    fold = folds_of(10, Numbers(folds=3))
    assert sorted(torch.bincount(fold).tolist()) == [3, 3, 4]
    assert torch.equal(fold, folds_of(10, Numbers(folds=3)))
    with pytest.raises(ValueError, match="3 folds of 2 photos"):
        folds_of(2, Numbers(folds=3))


def test_what_is_held_out_is_judged_by_a_network_that_never_saw_it(annotations):
    pairs = relation_pairs(annotations, len(PREDICATES) + 1)
    heard = []
    fitted = cross_fit(pairs, len(annotations), VECTORS, SMALL, heard.append)
    assert len(heard) == 2 and not fitted.said.isnan().any()
    assert_close(fitted.said.sum(dim=1), torch.ones(len(pairs)))
    alone = train(pairs, fitted.fold[pairs.photo] != 1, VECTORS, SMALL, SMALL.seed + 1)
    rows = (fitted.fold[pairs.photo] == 1).nonzero()[:, 0]
    assert_close(alone(pairs, rows).softmax(dim=1), fitted.said[rows])
    wanted = pairs.holds.int().argmax(dim=1)
    assert (fitted.said.argmax(dim=1) == wanted).float().mean() > 0.9


def test_training_leaves_the_callers_random_numbers_alone(annotations):
    pairs = relation_pairs(annotations, len(PREDICATES) + 1)
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    train(pairs, torch.ones(len(pairs), dtype=torch.bool), VECTORS, Numbers(epochs=1, hidden=4), 0)
    assert torch.equal(torch.rand(1), wanted)


def test_photos_without_a_relation_teach_nothing(annotations):
    pairs = relation_pairs(annotations, len(PREDICATES) + 1)
    with pytest.raises(ValueError, match="no pair of the training photos has a relation"):
        train(pairs, torch.zeros(len(pairs), dtype=torch.bool), VECTORS, SMALL, 0)


def test_what_is_added_to_word_vectors_is_forgotten_in_training_alone():
    vectors = NameVectors(VECTORS, forgotten=1.0)
    with torch.no_grad():
        vectors.added += 1
    assert_close(vectors.train()(torch.tensor([2])), VECTORS[1:2])
    assert_close(vectors.eval()(torch.tensor([2])), VECTORS[1:2] + 1)
    assert_close(vectors.whole, VECTORS + 1)
