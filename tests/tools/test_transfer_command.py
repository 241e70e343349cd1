"""`segsg transfer` as a user calls it: exit codes, files, and what it says."""

import csv

import pytest

from segsg import cli
from segsg.files import ROOT

VECTORS = ROOT / "data/facts/glove.6B.50d.world.txt"


@pytest.fixture
def transfer(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(names, *more):
        (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
        arguments = ["transfer", "--classes", "names.txt", "--word-vectors", str(VECTORS), "--out", "out", *more]
        code = cli.main(arguments)
        return code, capsys.readouterr(), tmp_path / "out"

    return call


def test_names_are_printed_with_their_partners_and_written_in_three_files(transfer):
    code, said, out = transfer(["Dog", "woman", "box"])
    assert code == 0
    lines = said.out.splitlines()
    assert lines[1].split() == ["dog", "copied", "dog"]
    assert lines[2].split() == ["woman", "copied", "person"]
    assert "bowl 0.56" in lines[3]
    assert sorted(path.name for path in out.iterdir()) == [".segsg", "transfer.csv", "transfer.html", "transfer.png"]


def test_the_csv_is_the_whole_matrix(transfer):
    _, _, out = transfer(["dog", "box"])
    with (out / "transfer.csv").open(newline="") as file:
        head, dog, box = csv.reader(file)
    assert head[:3] == ["class", "how", "person"] and len(head) == 82
    assert dog[head.index("dog")] == "1"
    assert sum(map(float, box[2:])) == pytest.approx(1, abs=1e-4)


def test_a_name_without_a_mask_has_an_exit_code_of_its_own_and_everything_is_written(transfer):
    code, said, out = transfer(["dog", "hoverboard", "dog", "<script>alert(1)</script>"])
    assert code == 3
    assert "hoverboard: no vector for 'hoverboard'" in said.out
    assert "repeated (1)" in said.out
    page = (out / "transfer.html").read_text(encoding="utf-8")
    assert "<script>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http:" not in page and "https:" not in page


def test_an_alias_gives_a_name_a_mask(transfer):
    code, said, _ = transfer(["hoverboard"], "--alias", "hoverboard=skateboard")
    assert code == 0
    assert "skateboard" in said.out


def test_own_mask_classes_come_without_cocos_partners(transfer, tmp_path):
    (tmp_path / "masks.json").write_text('["person", "dog"]')
    code, said, _ = transfer(["woman"], "--mask-classes", "masks.json")
    assert code == 0
    assert "woman  combined" in said.out


def test_errors_are_one_line_and_write_nothing(transfer, tmp_path):
    (tmp_path / "pairs.json").write_text('{"dog": "hound"}')
    code, said, out = transfer(["dog"], "--name-pairs", "pairs.json")
    assert code == 1
    assert "'hound' is no mask class" in said.err and said.err.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "message"), [("--name-pairs", "no such file of name pairs"), ("--mask-classes", "does not exist")]
)
def test_a_file_that_is_not_there_is_named(transfer, option, message):
    code, said, _ = transfer(["dog"], option, "none.json")
    assert code == 1
    assert f"none.json: {message}" in said.err.replace("file: ", "")


def test_names_that_all_borrow_nothing_are_written_too(transfer):
    code, _, out = transfer(["xyzzy", "plugh"])
    assert code == 3
    assert {path.name for path in out.iterdir()} == {".segsg", "transfer.csv", "transfer.png", "transfer.html"}


def test_a_file_in_the_place_of_the_folder_is_named(transfer, tmp_path):
    (tmp_path / "out").write_text("")
    code, said, _ = transfer(["dog"])
    assert code == 1
    assert "out: is a file; name a folder" in said.err


def test_the_list_of_coco_classes_is_cocos(transfer):
    names = (ROOT / "data/facts/coco_classes.txt").read_text(encoding="utf-8").splitlines()
    assert len(set(names)) == len(names) == 80
    assert (names[0], names[11], names[79]) == ("person", "stop sign", "toothbrush")


def test_pairs_of_what_is_no_class_are_said(transfer, tmp_path):
    (tmp_path / "pairs.json").write_text('{"dog": "cat", "whale": "dog", "woofer": "dog"}')
    code, said, _ = transfer(["dog"], "--name-pairs", "pairs.json")
    assert code == 0
    assert said.err.strip().endswith("pairs.json: pairs of no class of names.txt: whale, woofer")
    assert "no class" not in transfer(["dog"])[1].err  # Visual Genome's list, which comes with segsg, serves any names
