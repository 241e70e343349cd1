import gzip

import pytest

from segsg import files
from segsg.data import words
from segsg.data.words import Vocabulary, WordVectors, check_names, read_name_pairs
from segsg.files import DataError, read_json

LINES = "the 0 0 1\nat name@domain.com 9 9 9\nat 4 4 4\ncell 1 2 3\nphone 3 2 -1\nCat 7 7 7\ncat 5 6 7\n"


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(LINES)
    return path


def test_a_name_is_the_mean_of_its_words(glove):
    vectors = WordVectors.read(glove, ["cell phone", "cat", "the"])
    assert vectors.vector("cell phone").tolist() == [2, 2, 1]
    assert vectors.vector("CAT").tolist() == [5, 6, 7]
    assert vectors.matrix(["cat", "the"]).tolist() == [[5, 6, 7], [0, 0, 1]]


def test_only_needed_words_are_read(glove):
    glove.write_text(LINES + "broken 1\n")
    vectors = WordVectors.read(glove, ["cell phone"])
    with pytest.raises(DataError, match="word 'cat' of 'cat': has no vector"):
        vectors.vector("cat")


def test_entries_of_several_words_are_passed_over(glove):
    assert WordVectors.read(glove, ["at"]).vector("at").tolist() == [4, 4, 4]


@pytest.mark.parametrize("aliases", [{"drier": "phone"}, {"hair drier": "cell phone"}])
def test_aliases_of_words_and_names(glove, aliases):
    name = "cell drier" if "drier" in aliases else "hair drier"
    assert WordVectors.read(glove, [name], aliases).vector(name).tolist() == [2, 2, 1]


def test_a_missing_word_names_itself_the_file_and_the_alias_table(glove):
    with pytest.raises(DataError, match=r"glove\.txt: word 'drier' of 'hair drier': .*word_aliases in the profile"):
        WordVectors.read(glove, ["hair drier"], {"hair": "cat"}).vector("hair drier")


@pytest.mark.parametrize("row, message", [("dog 1 2", "has 2"), ("dog 1 2 3 4", "has 4"), ("dog 1 2 nan", "finite")])
def test_a_row_of_the_wrong_length(glove, row, message):
    glove.write_text(LINES + row + "\n")
    with pytest.raises(DataError, match=rf"line 8 \('dog'\): .*{message}"):
        WordVectors.read(glove, ["dog"])


def test_a_row_that_is_no_numbers(glove):
    glove.write_text(LINES + "dog 1 x 3\n")
    with pytest.raises(DataError, match="is not a row of numbers"):
        WordVectors.read(glove, ["dog"])


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="absent: file: cannot be read"):
        WordVectors.read(tmp_path / "absent", ["cat"])


def test_json_errors_name_the_file(tmp_path):
    with pytest.raises(DataError, match=r"absent\.json: file: cannot be read"):
        read_json(tmp_path / "absent.json")
    (tmp_path / "odd.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(DataError, match=r"odd\.json: file: is not JSON"):
        read_json(tmp_path / "odd.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1]", "JSON object of names"), ('{"bike": 3}', "'bike': 3 is no name"), ('{"": "bus"}', "'' is no name")],
)
def test_name_pairs_are_names(tmp_path, content, message):
    (tmp_path / "pairs.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_name_pairs(tmp_path / "pairs.json")


@pytest.mark.parametrize("label", [-1, 3])
def test_an_unknown_label_has_no_name(label):
    with pytest.raises(IndexError, match=f"label {label} is not among"):
        Vocabulary(("a", "b")).class_name(label)


def vectors(path, content):
    path.write_bytes(content)
    return WordVectors.read(path, ["cat", "dog"]).matrix(["cat", "dog"]).tolist()


READ = {
    "tabs": b"the\t1\t2\ncat\t3\t4\ndog\t5\t6\n",
    "lines of another system": b"the 1 2\r\ncat 3 4\r\ndog 5 6\r\n",
    "a mark of UTF-8": b"\xef\xbb\xbfcat 3 4\ndog 5 6",
    "a header": b"2 2\ncat 3 4\ndog 5 6\n",
    "a first line of dots": b". . . 1 2\ncat 3 4\ndog 5 6\n",
    "a first word of digits": b"20 1 2\ncat 3 4\ndog 5 6\n",
    "blank lines": b"\n\ncat 3 4\n\ndog 5 6\n\n",
    "other words in no UTF-8": b"\xff\xfe 1 2\ncat 3 4\ndog 5 6\n",
}


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_files_that_say_plainly_what_they_hold(tmp_path, content):
    assert vectors(tmp_path / "glove.txt", content) == [[3, 4], [5, 6]]


def test_a_header_may_speak_of_vectors_of_one_number(tmp_path):
    assert vectors(tmp_path / "glove.txt", b"2 1\ncat 3\ndog 5\n") == [[3], [5]]


REFUSED = {
    "nothing": (b"", "file: is empty"),
    "blank lines": (b"\n \n", "file: is empty"),
    "zip": (b"PK\3\4\x14\0\0\0", "file: is a zip archive; unpack it"),
    "gzip": (gzip.compress(b"cat 1 2"), "file: is compressed by gzip; unpack it"),
    "binary": (b"2 2\ncat \0\0\x80\x3f\0\0\0\x40\n", "line 2: is not text"),
    "wide characters": ("cat 1 2\n".encode("utf-16"), "line 1: is not text"),
    "words alone": (b"cat\ndog\n", "line 1: has no numbers after its word"),
    "commas": (b"cat,1,2\ndog,3,4\n", "line 1: has no numbers after its word"),
    "a page": (b"<html>not found</html>", "line 1: is not a row of numbers"),
    "a header of other numbers": (
        b"2 5\ncat 3 4\ndog 5 6\n",
        "line 1: says that lines have 5 numbers, but they",
    ),
    "a word twice": (b"cat 1 2\ndog 3 4\nthe 5 6\ncat 7 8\n", r"line 4 \('cat'\): this word has line 1 already"),
    "a large number": (
        b"cat 1 2\ndog 3e38 3e38\n",
        r"line 2 \('dog'\): has numbers that are not finite or beyond",
    ),
    "an endless number": (b"cat 1 2\ndog 1e39 1\n", r"line 2 \('dog'\): has numbers that are not finite"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_of_the_file(tmp_path, content, message):
    with pytest.raises(DataError, match=rf"glove\.txt: {message}"):
        vectors(tmp_path / "glove.txt", content)


def test_a_line_without_end_is_not_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "MOST_BYTES", 50)
    with pytest.raises(DataError, match="line 2: is longer than 50 bytes"):
        vectors(tmp_path / "glove.txt", b"cat 1 2\ndog " + b"1" * 100)


def test_a_name_of_a_label_is_a_name_of_its_own(tmp_path):
    check_names(tmp_path, "classes", ["a", "b"])
    for names, rule in (
        (["a", "a"], "appears more than once"),
        (["background"], "name of label 0"),
        ([" a"], "no name"),
    ):
        with pytest.raises(DataError, match=rule):
            check_names(tmp_path, "classes", names)


@pytest.mark.parametrize("content", ['{"a": "b", "a": "c"}', '{"x": {"a": 1, "a": 1}}'])
def test_json_with_a_key_twice_is_refused(tmp_path, content):
    (tmp_path / "pairs.json").write_text(content)
    with pytest.raises(DataError, match=r"is not JSON \(an object has the key 'a' twice\); correct it"):
        read_json(tmp_path / "pairs.json")


def test_deep_json_is_one_line(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="is not JSON"):
        read_json(tmp_path / "deep.json")


def test_json_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_JSON", 10)
    (tmp_path / "a.json").write_text("[1,2,3,45]")
    assert read_json(tmp_path / "a.json") == [1, 2, 3, 45]
    (tmp_path / "a.json").write_text("[1,2,3,456]")
    with pytest.raises(DataError, match="has more than 10 bytes"):
        read_json(tmp_path / "a.json")
