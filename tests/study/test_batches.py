"""Which training sets make which batches."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from segsg.data.views import one_predicate_per_pair
from segsg.study import sets
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

PARAMS = read_section(Params, resolve("smoke"), "test")
NUMBERS = replace(PARAMS.stage2, images=8, mask_images=4, flip=False)
PLAIN = replace(PARAMS, stage1=NUMBERS, stage2=NUMBERS)
PREDICATES = ("on", "to the Right of")


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    """Each batch is the arguments that the maker of batches was given."""
    monkeypatch.setattr(sets, "Batches", lambda *given: SimpleNamespace(batch=lambda step: given))


def given(source):
    dataset, images, seed, flip, _, _, change = next(iter(source(range(1))))
    return dataset, images, seed, flip, change


@pytest.mark.parametrize(("processes", "graphs", "masks"), [("1", 8, 4), ("4", 2, 1)])
def test_processes_share_the_images_of_a_step(processes, graphs, masks, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", processes)
    assert given(sets.object_batches(PLAIN, "set", 7)) == ("set", graphs, 7, False, None)
    assert given(sets.mask_batches(PLAIN, "set", numbers=NUMBERS, seed=7)) == ("set", masks, 7, False, None)
    expected = ("set", graphs, 7, False, one_predicate_per_pair)
    assert given(sets.relation_batches(PLAIN, "set", PREDICATES, 7)) == expected


def test_photos_are_not_mirrored_under_predicates_that_have_a_side():
    flipped = replace(NUMBERS, flip=True)
    mirrored = replace(PARAMS, stage1=flipped, stage2=flipped)
    assert given(sets.object_batches(mirrored, "set", 7))[3]
    with pytest.raises(ValueError, match="'to the Right of' change their meaning in a mirrored photo; set flip: false"):
        sets.relation_batches(mirrored, "set", PREDICATES, 7)


def test_a_training_draws_sides_from_the_list_or_has_one():
    several = replace(PLAIN, data=replace(PLAIN.data, short_sides=[100, 120]))
    for params, expected in ((PLAIN, [PLAIN.data.short_side]), (several, [100, 120])):
        for source in (
            sets.object_batches(params, "set", 7),
            sets.mask_batches(params, "set", numbers=NUMBERS, seed=7),
        ):
            assert next(iter(source(range(1))))[4] == expected
