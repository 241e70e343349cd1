"""Every file beside truths and predictions that breaks a rule gets a line with a way out that fits it."""

import json

import pytest
from made_evaluations import files

from segsg import cli

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
def said(tmp_path, capsys):
    """The one line that `segsg evaluate` says of a file beside whole ones."""
    files(tmp_path)

    def of(option, name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        given = {"--truth": tmp_path / "truth.jsonl", "--predictions": tmp_path / "a.jsonl", option: path}
        words = [str(word) for pair in given.items() for word in pair]
        assert cli.main(["evaluate", *words, "--task", "sgdet", "--out", str(tmp_path / "out")]) == 1
        told = capsys.readouterr().err.splitlines()
        (line,) = (line for line in told if line and "image/s]" not in line)  # without the bar
        assert line.startswith(f"{path}: ") and not (tmp_path / "out").exists()
        return line.removeprefix(f"{path}: ")

    return of


ZERO_SHOT = "write [[subject class, predicate, object class], ...]"
COUNTS = "write [number, number, ...], one for each predicate, or {name: number, ...}"
CASES = {
    "ragged triplets": (
        "--zero-shot",
        [[1, 1, 2], [1, 2]],
        f"not a table of numbers, as its rows are not equally long; {ZERO_SHOT}",
    ),
    "triplets of two": (
        "--zero-shot",
        [[1, 2]],
        f"zero-shot triplets are rows of three labels from 1; found int64 (1, 2); {ZERO_SHOT}",
    ),
    "ragged counts": (
        "--training-counts",
        [[1], 2],
        f"not a table of numbers, as its rows are not equally long; {COUNTS}",
    ),
    "too few counts": (
        "--training-counts",
        [1],
        f"2 whole numbers are needed, one for each predicate; found (1,); {COUNTS}",
    ),
    "names without numbers": (
        "--predicate-names",
        {"idx_to_predicate": {"a": "on", "2": "under"}},
        "labels of predicates are a, 2, not 1, 2 ... 2 without gaps; "
        "number them so, or list the names alone in the order of their labels",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_table_is_told_what_to_write(said, case):
    option, content, line = CASES[case]
    assert said(option, "beside.json", content) == line


@pytest.mark.parametrize("option", ["--zero-shot", "--training-counts", "--predicate-names"])
def test_endless_brackets_beside_the_predictions(said, option):
    line = said(option, "deep.json", DEEP)
    assert line == (
        "not JSON that can be read: its brackets lie too deep; correct it; docs/formats.md shows what it holds"
    )


@pytest.mark.parametrize("option", ["--truth", "--predictions"])
def test_endless_brackets_in_the_place_of_truths_or_predictions(said, option):
    line = said(option, "deep.json", DEEP)
    assert line == (
        "not JSON that can be read: its brackets lie too deep; "
        "write it again in OpenPSG's layout (truths) or sgbench's (predictions)"
    )
    assert "zip" not in line


def test_a_zip_archive_is_called_one(said):
    assert said("--predictions", "masks.json", "PK\3\4") == (
        "a zip archive; files with masks are not read, give one with boxes (.json)"
    )
