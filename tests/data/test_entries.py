"""Lists of a large file come an entry at a time, as json.loads reads them, wherever the text is cut into chunks."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segsg.data import entries
from segsg.data.entries import read_lists
from segsg.files import DataError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(entries, "CHUNK", 3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=st.dictionaries(st.text(), values, max_size=5), indent=st.none() | st.integers(0, 2), ascii=st.booleans())
def test_the_lists_are_those_of_json(tmp_path, record, indent, ascii):
    path = tmp_path / "file.json"
    path.write_bytes(json.dumps(record, indent=indent, ensure_ascii=ascii).encode("utf-8", "surrogatepass"))
    try:
        expected = json.loads(path.read_bytes())
    except ValueError:
        with pytest.raises(DataError, match="is not JSON"):
            dict(read_lists(path))
        return
    assert {key: list(found) for key, found in read_lists(path)} == {
        key: value for key, value in expected.items() if isinstance(value, list)
    }


def test_entries_that_nobody_asks_for_are_passed_over(tmp_path):
    (tmp_path / "f").write_text('{"a": [1, {"b": [2]}, 3], "c": {"d": [4]}, "e": [5]}')
    assert [(key, next(found)) for key, found in read_lists(tmp_path / "f")] == [("a", 1), ("e", 5)]


def test_a_mark_of_utf_8_is_passed_over(tmp_path):
    (tmp_path / "f").write_bytes(b'\xef\xbb\xbf{"a": []}')
    assert [(key, list(found)) for key, found in read_lists(tmp_path / "f")] == [("a", [])]


BAD = {
    "nothing": "",
    "a list": "[1]",
    "no end": '{"a": [1, 2',
    "no end of an entry": '{"a": [{"b": 1',
    "no comma": '{"a": [1 2]}',
    "a comma too many": '{"a": [1,,2]}',
    "no colon": '{"a" [1]}',
    "a number as a key": "{1: [1]}",
    "more after the end": '{"a": [1]} {}',
    "a key twice": '{"a": [1], "a": [2]}',
    "a key twice within": '{"a": [{"b": 1, "b": 2}]}',
    "a page": "<html>not found</html>",
    "deep": '{"a": [' + "[" * 100_000,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_is_no_json_is_one_line(tmp_path, content):
    (tmp_path / "f").write_text(content)
    with pytest.raises(DataError, match="f: file: is not JSON") as caught:
        [list(found) for _, found in read_lists(tmp_path / "f")]
    assert "\n" not in str(caught.value)


def test_an_entry_without_end_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "LARGEST", 100)
    (tmp_path / "f").write_text('{"a": ["' + "x" * 10_000)
    with pytest.raises(DataError, match="a value is longer than 100 characters, or does not end; from character 7 on"):
        [list(found) for _, found in read_lists(tmp_path / "f")]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="absent: file: cannot be read"):
        list(read_lists(tmp_path / "absent"))


@pytest.mark.parametrize("number", ["1.25", "1e-7", "-0.5E+12", "17"])
def test_a_number_is_whole_wherever_the_text_that_was_read_ends(number, tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    for chunk in range(1, 12):
        monkeypatch.setattr(entries, "CHUNK", chunk)
        path.write_text('{"a": [' + f"{number}, {number}]" + "}")
        assert [(key, list(found)) for key, found in read_lists(path)] == [("a", [float(number)] * 2)]
