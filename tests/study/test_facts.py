"""Facts are read as they were saved; a folder that says anything else is one line."""

import json
from dataclasses import fields

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from segsg.data.words import Vocabulary
from segsg.files import DataError
from segsg.study.facts import NAMES, NUMBERS, Facts


@pytest.fixture
def folder(tmp_path):
    known().save(tmp_path)
    return tmp_path


def known():
    return Facts(
        names=Vocabulary(("man", "hat"), ("on", "near", "has")),
        mask_names=("person",),
        name_pairs={"man": "person"},
        drawn_as={},
        vectors=torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        mask_vectors=torch.tensor([[5.0, 6.0]]),
        counts=torch.arange(36).reshape(3, 3, 4),
        zero_shot=torch.tensor([[1, 3, 2]]),
    )


def test_facts_are_read_as_they_were_saved(folder):
    read, written = Facts.load(folder), known()
    for name in (each.name for each in fields(Facts)):
        one, other = getattr(read, name), getattr(written, name)
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


NAMES_CHANGED = {
    "no classes": ({"classes": None}, "'classes' is None, not a list"),
    "a class that is a number": ({"classes": ["man", 3]}, "3 is no name"),
    "a class twice": ({"classes": ["man", "man"]}, "appears more than once"),
    "a pair with a number": ({"name_pairs": {"man": 1}}, "1 is no name"),
    "another class": ({"classes": ["man", "hat", "cat"]}, r"'vectors' is torch.float32 \(2, 2\)"),
    "another mask class": ({"mask_classes": ["person", "cat"]}, r"'mask_vectors' is torch.float32 \(1, 2\)"),
    "another predicate": ({"predicates": ["on"]}, r"'counts' is torch.int64 \(3, 3, 4\)"),
}


@pytest.mark.parametrize(("changes", "message"), NAMES_CHANGED.values(), ids=NAMES_CHANGED)
def test_names_that_say_something_else(folder, changes, message):
    names = json.loads((folder / NAMES).read_text())
    (folder / NAMES).write_text(json.dumps(names | changes))
    with pytest.raises(DataError, match=message):
        Facts.load(folder)


NUMBERS_CHANGED = {
    "fractions": ({"counts": torch.ones(3, 3, 4)}, "'counts' is torch.float32"),
    "negative": ({"counts": torch.full((3, 3, 4), -1)}, "counts are negative"),
    "not finite": ({"vectors": torch.full((2, 2), float("nan"))}, "word vectors are not finite"),
    "flat": ({"vectors": torch.ones(4)}, "'vectors' is"),
    "another width": ({"mask_vectors": torch.ones(1, 3)}, "word vectors have 2 and 3 numbers"),
    "beyond": ({"zero_shot": torch.tensor([[1, 4, 1]])}, "labels beyond the vocabulary"),
    "background": ({"zero_shot": torch.tensor([[0, 1, 1]])}, "labels beyond the vocabulary"),
    "one number": ({"zero_shot": torch.tensor(3)}, "'zero_shot' is"),
}


@pytest.mark.parametrize(("changes", "message"), NUMBERS_CHANGED.values(), ids=NUMBERS_CHANGED)
def test_numbers_that_say_something_else(folder, changes, message):
    save_file(load_file(folder / NUMBERS) | changes, folder / NUMBERS)
    with pytest.raises(DataError, match=message):
        Facts.load(folder)


@pytest.mark.parametrize("name", [NAMES, NUMBERS])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_other_bytes_are_facts_or_one_line(tmp_path, name, data):
    known().save(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(content)
    try:
        assert Facts.load(tmp_path).classes == 3
    except DataError as error:
        assert str(tmp_path) in str(error) and "\n" not in str(error)
