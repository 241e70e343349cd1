import json

import pytest

from segsg.files import DataError
from segsg.tools.own_labels import Labels, read_labels


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
