"""A small valid file with one thing changed is one line that names it, or is read and keeps every rule."""

import copy
import json

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segsg.data.coco import MaskSet
from segsg.data.visual_genome import SceneGraphSet, read_zero_shot
from segsg.data.words import Vocabulary, WordVectors
from segsg.files import DataError

JUNK = [None, True, False, "", "x", "1", "\ud800", "a\nb", 0, -1, 1, 3, 2.5, 1.0, float("nan"), float("inf"), 1e308,
        2**31, 2**63, 10**30, -(10**400), [], [[]], [None], [1], [1, 2, 3, 4], {}, {"size": [10, 20]}]  # fmt: skip
LOST = object()
MUTATED = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(value, path=()):
    """Paths of everything inside JSON."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield from places(item, (*path, key))


def changed(value, path, new):
    """JSON with `new` at a path, or without what is there."""
    if not path:
        return {} if new is LOST else new
    value = copy.copy(value)
    if len(path) == 1 and new is LOST:
        del value[path[0]]
    else:
        value[path[0]] = changed(value[path[0]], path[1:], new)
    return value


def mutated(data, record):
    """JSON with one value replaced by junk, or missing."""
    path = data.draw(st.sampled_from(list(places(record))))
    return changed(record, path, data.draw(st.sampled_from([LOST, *JUNK])))


def other_bytes(data, content):
    """The content of a file, cut or with some bytes replaced."""
    content = bytearray(content)
    if data.draw(st.booleans()):
        return bytes(content[: data.draw(st.integers(0, len(content)))])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    return bytes(content)


def read(path, reader):
    """What a reader returns; None where it says in one line what is wrong with the file."""
    try:
        return reader()
    except DataError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error) and len(str(error)) < 1000
        return None


def check_masks(path, photos):
    """Whatever is read of a file of masks is what a detector can be trained on."""
    masks = read(path, lambda: MaskSet(path, photos))
    for index in range(len(masks) if masks else 0):
        for boxes, labels, found in (masks.annotation(index), masks.crowds(index)):
            h, w = found.shape[1:]
            assert len(boxes) == len(labels) == len(found)
            assert (boxes >= 0).all() and (boxes <= torch.tensor([w, h, w, h])).all()
            assert all(masks.vocabulary.class_name(label) for label in labels.tolist())


@MUTATED
@given(data=st.data())
def test_masks_with_another_value(mask_files, data):
    path, photos = mask_files.write()
    path.write_text(json.dumps(mutated(data, mask_files.record)))
    check_masks(path, photos)


@MUTATED
@given(data=st.data())
def test_masks_with_other_bytes(mask_files, data):
    path, photos = mask_files.write()
    path.write_bytes(other_bytes(data, path.read_bytes()))
    check_masks(path, photos)


def check_graphs(path, arguments):
    """Errors name the file `path` or one in it; whatever is read is what a model can be trained on."""
    graphs = read(path, lambda: SceneGraphSet(*arguments, "train", keep_empty=True))
    for index in range(len(graphs) if graphs else 0):
        boxes, labels, relations = graphs.annotation(index)
        assert boxes.isfinite().all() and (boxes >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        assert all(graphs.vocabulary.class_name(label) for label in labels.tolist())
        assert all(graphs.vocabulary.predicate_name(label) for label in relations[:, 2].tolist())
        pairs = relations[:, :2]
        assert ((pairs >= 0) & (pairs < len(boxes))).all() and (pairs[:, 0] != pairs[:, 1]).all()
        assert graphs.image_ids[index] >= 0 and graphs.shared_ids[index] != -1


@MUTATED
@given(data=st.data())
def test_names_with_another_value(graph_files, data):
    arguments = graph_files.write()
    arguments[1].write_text(json.dumps(mutated(data, graph_files.names)))
    check_graphs(graph_files.folder, arguments)


@MUTATED
@given(data=st.data())
def test_an_image_list_with_another_value(graph_files, data):
    arguments = graph_files.write()
    arguments[2].write_text(json.dumps(mutated(data, graph_files.images)))
    check_graphs(graph_files.folder, arguments)


@MUTATED
@given(data=st.data())
def test_graphs_with_another_number(graph_files, data):
    arguments = graph_files.write()
    key = data.draw(st.sampled_from(sorted(graph_files.arrays)))
    numbers = st.sampled_from([-2, -1, 0, 1, 2, 5, 9, 1024, 2049, 2**31, 2**62, -(2**63), 2**63 - 1])
    with h5py.File(arguments[0], "r+") as file:
        values = file[key][()].astype(np.int64)
        values.flat[data.draw(st.integers(0, values.size - 1))] = data.draw(numbers)
        del file[key]
        file[key] = values
    check_graphs(arguments[0], arguments)


@settings(MUTATED, max_examples=40)
@given(data=st.data())
def test_graphs_with_other_bytes(graph_files, data):
    arguments = graph_files.write()
    arguments[0].write_bytes(other_bytes(data, arguments[0].read_bytes()))
    check_graphs(arguments[0], arguments)


@MUTATED
@given(data=st.data())
def test_word_vectors_with_other_bytes(tmp_path, data):
    path = tmp_path / "glove.txt"
    path.write_bytes(other_bytes(data, b"the 0 0 1\nat name@domain.com 9 9 9\nat 4 4 4\ncell 1 2 3\nphone 3 2 -1\n"))
    found = read(path, lambda: WordVectors.read(path, ["cell phone", "at"]).matrix(["cell phone", "at"]))
    assert found is None or (found.isfinite().all() and found.ndim == 2)


@settings(MUTATED, max_examples=40)
@given(data=st.data(), legacy=st.booleans())
def test_zero_shot_triplets_with_other_bytes(tmp_path, data, legacy):
    path = tmp_path / "triplets"
    torch.save(torch.tensor([[1, 2, 1], [2, 1, 1]]), path, _use_new_zipfile_serialization=not legacy)
    path.write_bytes(other_bytes(data, path.read_bytes()))
    found = read(path, lambda: read_zero_shot(path, Vocabulary(("a", "b"), ("on",))))
    assert found is None or (
        found.dtype == torch.int64 and (found >= 1).all() and (found <= torch.tensor([2, 1, 2])).all()
    )


numbers = st.floats(-100, 100, width=32)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.dictionaries(st.text("abcé1.", min_size=1, max_size=4), st.tuples(numbers, numbers), min_size=1),
       apart=st.sampled_from([" ", "\t", "  "]), end=st.sampled_from(["\n", "\r\n"]), mark=st.booleans(),
       header=st.booleans())  # fmt: skip
def test_word_vectors_are_read_as_they_were_written(tmp_path, rows, apart, end, mark, header):
    path = tmp_path / "glove.txt"
    lines = [f"{len(rows)} 2"] * header + [apart.join([word, *map(repr, row)]) for word, row in rows.items()]
    path.write_bytes(b"\xef\xbb\xbf" * mark + (end.join(lines) + end).encode())
    assert WordVectors.read(path, rows).matrix(rows).tolist() == [list(row) for row in rows.values()]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_masks_are_read_as_they_were_written(mask_files, data):
    """Run lengths of any mask, in either form, in lists of any order."""
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=200, max_size=200)), dtype=bool).reshape(10, 20)
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask.T.ravel()]).astype(int)))
    counts = np.diff(np.concatenate([[0], changes, [200]])).tolist()
    mask_files.record["annotations"][0]["segmentation"] = {"size": [10, 20], "counts": counts}
    mask_files.record = {key: mask_files.record[key] for key in data.draw(st.permutations(list(mask_files.record)))}
    masks = MaskSet(*mask_files.write())
    assert np.array_equal(masks.annotation(0)[2][0].numpy(), mask)
    assert masks.vocabulary.classes == ("bicycle", "dog")


@pytest.mark.parametrize("image_id", [0, 2**63 - 1])
def test_ids_at_both_ends_are_ids(graph_files, image_id):
    graph_files.images[0].update(image_id=image_id, coco_id=image_id)
    graphs = SceneGraphSet(*graph_files.write(), "train")
    assert graphs.image_ids[0] == image_id and graphs.shared_ids[0] == image_id
