import json

import pytest
import torch

from segsg.files import DataError
from segsg.tools.own_labels import Labels, borrow, effective_partners, read_labels, read_vectors

MASKS = Labels(("dog", "car"))
ROWS = "dog 3 0\ncar 0 3\nhound 3 0.5\npuppy 2.5 0\nthing 1 1\nhot 0 1\nnothing 0 0\n"


def wanted(mode="softmax", threshold=0.05, **pairs):
    return {"mode": mode, "threshold": threshold, "name_pairs": pairs}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(ROWS)
    return path


def borrowed(file, *names, repeated=(), aliases=None, masks=MASKS, how=None):
    labels = Labels(names, repeated)
    return borrow(labels, masks, read_vectors(file, labels, masks, aliases or {}), **(how or wanted()))


def kinds(found):
    return [(concern.kind, concern.name) for concern in found.concerns]


def test_names_of_mask_classes_copy_and_others_take_the_nearest(file):
    found = borrowed(file, "dog", "hound").transfer
    assert found.matrix.tolist() == [[1, 0], [1, 0]]
    assert found.copied == (True, False)


def test_a_name_without_a_vector_has_no_mask_and_the_missing_word_is_named(file):
    found = borrowed(file, "hot tub", "hound")
    assert found.bare == ("hot tub",)
    assert "'tub'" in found.concerns[0].detail
    assert not found.transfer.matrix[0].any()
    assert found.transfer.matrix[1].any()


@pytest.mark.parametrize("mode", ["softmax", "dot", "cosine"])
def test_names_without_any_vector_do_not_stop_the_others(file, mode):
    assert borrowed(file, "tub", "bath", how=wanted(mode)).bare == ("tub", "bath")


def test_a_partner_or_another_word_helps_a_name_without_a_vector(file):
    found = borrowed(file, "tub", how=wanted(tub="car"))
    assert found.transfer.matrix.tolist() == [[0, 1]]
    assert not found.concerns
    assert not borrowed(file, "tub", aliases={"tub": "hound"}).concerns


def test_partners_count_in_softmax_alone(file):
    found = borrowed(file, "hound", how=wanted("dot", hound="car"))
    assert found.transfer.copied == (False,)
    assert found.transfer.matrix[0, 0] > found.transfer.matrix[0, 1]


def test_a_name_below_the_threshold_everywhere_is_weak(file):
    found = borrowed(file, "thing", how=wanted(threshold=0.6))
    assert kinds(found) == [("weak", "thing")]
    assert "0.500" in found.concerns[0].detail
    assert not borrowed(file, "thing", how=wanted(threshold=0.4)).concerns


def test_a_name_that_borrows_from_everything_is_flat(tmp_path):
    masks = Labels(tuple("abcdefgh"))
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{word} 1 0\n" for word in [*masks.names, "thing"]))
    found = borrowed(path, "thing", "a", masks=masks)
    assert kinds(found) == [("flat", "thing")]
    assert "8.0" in found.concerns[0].detail


def test_repeated_names_and_zero_vectors_are_said(file):
    found = borrowed(file, "dog", "nothing", repeated=("dog",), how=wanted("cosine"))
    assert ("repeated", "dog") in kinds(found)
    assert found.bare == ("nothing",)


def test_a_mask_class_without_a_vector_and_a_missing_file_are_errors(file, tmp_path):
    with pytest.raises(DataError, match=r"mask classes: no vector for 'tub' of 'hot tub'; .*--alias"):
        borrowed(file, "dog", masks=Labels(("dog", "hot tub")))
    with pytest.raises(DataError, match="does not exist"):
        borrowed(tmp_path / "none.txt", "dog")


def test_effective_partners_count_equal_weights_and_forget_tiny_ones():
    rows = torch.tensor([[0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0], [0.5, -0.5, 0, 0], [0, 0, 0, 0]])
    assert effective_partners(rows).tolist() == pytest.approx([4, 1, 2, 0])


def write(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_text_file_has_one_name_a_line_in_any_case_and_spacing(tmp_path):
    path = write(tmp_path, "names.txt", "\ufeffDog\n\n  hot dog \r\ndog\nCAT\n")
    assert read_labels(path) == Labels(("dog", "hot dog", "cat"), ("dog",))


def test_a_vocabulary_is_in_label_order_whatever_the_order_of_the_file(tmp_path):
    content = {"label_to_idx": {"cup": 2, "arm": 1}, "predicate_to_idx": {"on": 1}}
    assert read_labels(write(tmp_path, "VG-SGG-dicts.json", content)).names == ("arm", "cup")


def test_categories_are_in_the_order_of_their_ids(tmp_path):
    content = {"categories": [{"id": 9, "name": "cat"}, {"id": 3, "name": "tv"}]}
    assert read_labels(write(tmp_path, "instances.json", content)).names == ("tv", "cat")


def test_a_json_list_is_a_list_of_names(tmp_path):
    assert read_labels(write(tmp_path, "names.json", ["b", "a"])).names == ("b", "a")


@pytest.mark.parametrize(
    ("content", "rule"),
    [({"a": 1}, "is no list"), ([1, 2], "is no list"), ("[", "is not JSON"), ({"categories": [{"id": 1}]}, "'name'")],
)
def test_other_json_is_an_error_that_names_the_file(tmp_path, content, rule):
    with pytest.raises(DataError, match=f"names.json: .*{rule}"):
        read_labels(write(tmp_path, "names.json", content))


def test_a_file_without_names_bytes_that_are_no_text_and_no_file_are_errors(tmp_path):
    with pytest.raises(DataError, match="holds no name"):
        read_labels(write(tmp_path, "blank.txt", " \n\n"))
    (tmp_path / "photo.txt").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match="is not text"):
        read_labels(tmp_path / "photo.txt")
    with pytest.raises(DataError, match="does not exist; give a text file"):
        read_labels(tmp_path / "none.txt")
