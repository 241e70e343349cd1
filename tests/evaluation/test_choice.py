import numpy as np
import pytest

from segsg.evaluation.matching import MISSED
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.ranks import Ranks
from segsg.figures.shown import choose, choose_by, image_recalls


def ranks_of(*found, image_ids=None):
    """An image for each argument: which of its rows are found, at rank 0."""
    image = np.repeat(np.arange(len(found)), [len(rows) for rows in found])
    rank = np.where(np.concatenate([np.array(rows, dtype=bool) for rows in found]), 0, MISSED).astype(np.int32)
    ids = np.arange(len(found)) if image_ids is None else np.array(image_ids)
    triplets = np.ones((len(image), 3), dtype=np.int32)
    seen = np.ones(len(found), dtype=bool)
    return Ranks(
        image_ids=ids, boxes=np.full(len(found), 2), predicted=seen, image=image, triplets=triplets, constrained=rank,
        free=rank, predicates=3, protocol=DEFAULT,
    )  # fmt: skip


def test_recall_of_an_image_without_rows_is_unknown():
    assert np.array_equal(image_recalls(ranks_of([1, 0], [], [0]), 20), [0.5, np.nan, 0.0], equal_nan=True)


def test_the_largest_gains_and_losses_are_chosen_and_others_drawn():
    before = ranks_of([0, 0], [0, 1], [1, 1], [1, 1], [1, 0], [], image_ids=[3, 5, 7, 8, 9, 11])
    after = ranks_of([1, 1], [1, 1], [1, 0], [0, 0], [0, 1], [], image_ids=[3, 5, 7, 8, 9, 11])
    choice = choose(before, after, 20, 2, seed=0)
    assert (choice.gains, choice.losses, choice.random) == ([3, 5], [8, 7], [9])
    assert "the 2 whose R@20 gains most" in choice.rule


def test_nothing_is_called_a_gain_that_is_none_and_draws_repeat():
    change = np.array([0.0] * 50 + [np.nan])
    first, again, other = (choose_by(change, list(range(51)), 5, seed, "") for seed in (1, 1, 2))
    assert first.gains == first.losses == []
    assert first.random == again.random != other.random
    assert 50 not in choose_by(change, list(range(51)), 51, 0, "").random


def test_ties_go_to_the_lower_id():
    assert choose_by(np.array([0.5, 0.5, 0.5]), [9, 2, 4], 2, 0, "").gains == [2, 4]


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="different images"):
        choose(ranks_of([1], image_ids=[1]), ranks_of([1], image_ids=[2]), 20, 1, 0)
