"""Commands that need no project run from an installed package, and no `--out` takes the place of foreign files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_evaluations import evaluations

from segsg import cli
from segsg.files import ROOT
from segsg.study.params import PARAMS_FILE, load

PACKAGE = Path("segsg")
VECTORS = "data/facts/glove.6B.50d.world.txt"


@pytest.fixture
def two(tmp_path):
    return evaluations(tmp_path)


@pytest.fixture
def installed(tmp_path):
    """Runs a command of a copy of the package that no checkout surrounds, as pip installs it, in another folder."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / PACKAGE, site / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data/facts", site / PACKAGE / "facts")

    def run(*words):
        variables = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        line = [sys.executable, "-m", "segsg.cli", *words]
        return subprocess.run(line, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    return run


def test_compare_and_transfer_run_outside_any_checkout(two, installed):
    compared = installed("compare", "a", "b", "--out", "compared", "--resamples", "9")
    assert (compared.returncode, compared.stderr) == (0, "")
    assert json.loads((two / "compared/compare.json").read_text())["metrics"]["R@50"]["difference"] == -1
    (two / "names.txt").write_text("dog\nwoman\n")
    shutil.copyfile(ROOT / VECTORS, two / "words.txt")
    words = "transfer --classes names.txt --word-vectors words.txt --out borrowed"
    borrowed = installed(*words.split())
    assert (borrowed.returncode, borrowed.stderr) == (0, "")
    assert "woman  copied    person" in borrowed.stdout  # by the list of pairs that comes with the package
    assert (two / "borrowed/transfer.csv").is_file()
    refused = installed("list")
    assert refused.returncode == 1 and "no dvc.yaml; the study runs from a checkout" in refused.stderr


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OUTPUTS = {
    "compare": ("compare a b --out .", ("compare.json", "metrics.csv", "predicates.csv")),
    "transfer": (
        f"transfer --classes names.txt --word-vectors {ROOT / VECTORS} --out .",
        ("transfer.csv", "transfer.png", "transfer.html"),
    ),
    "export": (f"export {next(iter(load(ROOT / PARAMS_FILE).experiments))} --out .", ("predictions.jsonl.gz",)),
}
"""command -> its words, and names of files that it writes"""


@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command, (_, names) in OUTPUTS.items() for name in names]
)
def test_results_never_replace_foreign_files(two, monkeypatch, capsys, command, name):
    monkeypatch.chdir(two)
    (two / "truth.jsonl").unlink()
    (two / "names.txt").write_text("dog\n")
    (two / name).write_text("mine")
    before = contents(two)
    assert cli.main(OUTPUTS[command][0].split()) == 1
    said = capsys.readouterr().err
    assert said.endswith(
        f"{name}: would be replaced, and no `segsg {command}` wrote it; name another folder for --out\n"
    )
    assert said.count("\n") == 1 and contents(two) == before


def test_an_export_never_replaces_truths_that_it_did_not_write(two, monkeypatch, capsys):
    monkeypatch.chdir(two)
    before = contents(two)
    assert cli.main(OUTPUTS["export"][0].split()) == 1
    assert "truth.jsonl: would be replaced, and no `segsg export` wrote it" in capsys.readouterr().err
    assert contents(two) == before


def test_a_comparison_never_replaces_what_it_compares(two, monkeypatch, capsys):
    monkeypatch.chdir(two)
    before = contents(two)
    assert cli.main(["compare", "a", "b", "--out", "a"]) == 1
    assert "a/metrics.csv: would be replaced, and no `segsg compare` wrote it" in capsys.readouterr().err
    assert contents(two) == before


def test_a_comparison_replaces_an_older_one(two, monkeypatch):
    monkeypatch.chdir(two)
    for resamples in ("9", "10"):
        assert cli.main(["compare", "a", "b", "--out", ".", "--resamples", resamples]) == 0
