"""The command line as people expect it: help, version, examples, completion, and errors that say what to do."""

import argparse
import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import segsg
from segsg import cli
from segsg.files import ROOT, write_metrics
from segsg.pipeline import listing
from segsg.study.keys import check_key
from segsg.study.params import load
from segsg.study.scene_graphs import folder
from segsg.tools import absent


def commands(parser: argparse.ArgumentParser):
    """Every command of a parser that has no commands below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from (
                    commands(below)
                    if any(isinstance(each, argparse._SubParsersAction) for each in below._actions)
                    else [below]
                )


def test_segsg_alone_shows_help(capsys):
    assert cli.main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: segsg") and "exit codes:" in said and "predict" in said


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"segsg {segsg.__version__}\n" and segsg.__version__ == version("segsg")


def test_every_example_of_every_command_can_be_read():
    top = cli.parser()
    listed = {command.prog.removeprefix("segsg "): command for command in commands(top)}
    assert listed.keys() == cli.EXAMPLES.keys()
    for name, command in listed.items():
        assert "examples:" in command.format_help()
        for words in cli.EXAMPLES[name]:
            top.parse_args([*name.split(), *words.split()])


def test_a_shell_completes_commands():
    line = [sys.executable, "-m", "segsg.cli", "--print-completion", "bash"]
    printed = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "evaluate" in printed
    assert subprocess.run(["bash", "-n"], input=printed, text=True, check=False).returncode == 0


def test_a_package_that_is_not_installed_is_named(monkeypatch, capsys):
    def lacks(options):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(cli.transfer, "run", lacks)
    assert cli.main(["transfer", "--classes", "names.txt"]) == 1
    assert capsys.readouterr().err == f"torch: not installed; {absent.WAY_OUT}\n"


@pytest.mark.parametrize("words", [["predict"], ["predict", "a.jpg", "--bundle", "b"], ["predict", "--help"]])
def test_without_its_packages_predict_says_what_to_install(words, monkeypatch, capsys):
    monkeypatch.setattr(cli, "ANYWHERE", (absent.add_predict,))
    monkeypatch.setattr(cli, "IN_PROJECT", (absent.add_bundle,))
    assert cli.main(words) == 1
    assert "pip install 'segsg[photos]'" in capsys.readouterr().err


def test_an_unknown_key_gets_the_nearest():
    keys = ["mini-motifs-fpn-sgdet-seg", "mini-imp-vgg-predcls-seg", "other"]
    check_key("other", keys, "mini")
    with pytest.raises(ValueError, match="of the study mini; did you mean mini-motifs-fpn-sgdet-seg"):
        check_key("mini-motif-fpn-sgdet-seg", keys, "mini")
    with pytest.raises(ValueError, match=r"^'x' is no experiment of the study mini; `segsg list` shows all 3$"):
        check_key("x", keys, "mini")


def test_experiments_are_listed_by_key_with_state_and_recall(monkeypatch, tmp_path, capsys):
    params = load(ROOT / "params.yaml")
    key, other = list(params.experiments)[:2]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "enter_project", lambda: None)
    monkeypatch.setattr(listing, "load", lambda: params)
    write_metrics(folder(params, key), {"metrics": {"mR@50": {"value": 0.1234}}})
    report = tmp_path / "reports" / params.report / "results.json"
    report.parent.mkdir(parents=True)
    report.write_text(json.dumps({"experiments": {other: {"metrics": {"mR@50": {"value": None}}}}}))
    assert cli.main(["list"]) == 0
    head, first, second, third, *_ = (line.split() for line in capsys.readouterr().out.splitlines())
    assert [head, first, second] == [["key", "state", "mR@50"], [key, "here", "12.3"], [other, "report", "-"]]
    assert third[1:] == ["-", "-"]
    assert cli.main(["list", *key.split("-")]) == 0
    assert key in capsys.readouterr().out
    assert cli.main(["list", "nothing"]) == 1
    assert "has nothing in it" in capsys.readouterr().err
