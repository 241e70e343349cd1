import pytest

from segsg.data.words import Vocabulary, WordVectors, read_name_pairs
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
