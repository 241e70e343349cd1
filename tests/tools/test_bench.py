"""`segsg bench`: every bench runs on small sizes, checks its values, and fails where a twin disagrees."""

import json
import sys
from importlib import util
from pathlib import Path

import pytest
import torch
from sides import Line, Unequal, check_equal, megabytes, table
from slow_decoder import StepByStep

from segsg import cli
from segsg.pipeline.progress import Times

KERNELS = ["--images=2", "--regions=3", "--classes=4", "--width=12", "--hidden=8", "--words=5", "--map-channels=3"]
MODELS = ["--profile=smoke", "--images=1", "--regions=3"]
ROOT = Path(__file__).resolve().parents[2]


def script(name: str):
    """A script of tests/benchmarks as a module."""
    found = util.spec_from_file_location(f"bench_{name}", ROOT / "tests" / "benchmarks" / f"{name}.py")
    module = sys.modules[found.name] = util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def run(module, name, title, words, monkeypatch) -> int:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--repeats=1", *words])
    return module.main(name, module.measure, other="twin", title=title)


def test_kernels(tmp_path, capsys, monkeypatch):
    out = tmp_path / "kernels.json"
    assert run(script("kernels"), "kernels", "kernels", [*KERNELS, f"--json={out}"], monkeypatch) == 0
    written, printed = json.loads(out.read_text()), capsys.readouterr().out
    assert len(written["lines"]) == 11 and written["machine"]["cores"]
    for line in written["lines"]:
        assert line["name"] in printed and line["ratio"] == pytest.approx(line["other_ms"] / line["ms"])
    assert all(line["mb"] > 0 and line["other_mb"] > 0 for line in written["lines"][:2])


def test_kernels_need_a_pair(capsys, monkeypatch):
    assert run(script("kernels"), "kernels", "kernels", ["--regions=1"], monkeypatch) == 1
    assert capsys.readouterr().err == "--regions: 1 has no pair; take 2 or more\n"


def changed(function):
    """`function` with another result: each of its tensors is one more, and tuples are turned around."""

    def wrong(*given):
        found = function(*given)
        return found + 1 if isinstance(found, torch.Tensor) else (*found[1:], found[0])

    return wrong


class WrongSteps(StepByStep):
    def forward(self, *given):
        logits, labels = super().forward(*given)
        return logits + 1, labels


WRONG = {
    "pair_by_pair": changed,
    "grow_slowly": changed,
    "decode_slowly": changed,
    "_twin": lambda twin: lambda boxes: changed(twin(boxes)),
    "StepByStep": lambda _: WrongSteps,
}
"""twin -> what makes it wrong"""


@pytest.mark.parametrize("name", WRONG)
def test_a_twin_that_disagrees_is_an_error(name, capsys, tmp_path, monkeypatch):
    module, out = script("kernels"), tmp_path / "kernels.json"
    monkeypatch.setattr(module, name, WRONG[name](getattr(module, name)))
    assert run(module, "kernels", "kernels", [*KERNELS, f"--json={out}"], monkeypatch) == 1
    assert "ours and its twin differ" in capsys.readouterr().err
    assert not out.exists()


def test_models(capsys, monkeypatch):
    words = [*MODELS, "--models", "imp", "transformer", "--growth"]
    assert run(script("models"), "models", "models", words, monkeypatch) == 0
    printed = capsys.readouterr().out
    for text in ("imp baseline, training step", "transformer contact, prediction", "imp seg-grounded, 12 regions"):
        assert text in printed


def test_models_need_masks(capsys, monkeypatch):
    module = script("models")
    bare = module.profile.resolve("smoke")
    bare["detectors"] = {key: one for key, one in bare["detectors"].items() if not one["joint"]}
    monkeypatch.setattr(module.profile, "resolve", lambda name: bare)
    assert run(module, "models", "models", MODELS, monkeypatch) == 1
    assert "no joint detector" in capsys.readouterr().err


def test_the_command_runs_a_bench_and_writes_where_it_is_told(tmp_path, capfd):
    out = tmp_path / "models.json"
    words = [*MODELS, "--repeats=1", "--models", "imp", "--json", str(out)]
    assert cli.main(["bench", "models", *words]) == 0
    assert "imp seg-grounded, prediction" in capfd.readouterr().out
    assert len(json.loads(out.read_text())["lines"]) == 6


def test_tables_leave_out_what_nobody_measured():
    lines = [Line(name="a", ms=2.0, other_ms=300.0), Line(name="bb", ms=15.25, note="why")]
    assert table(lines, "twin").splitlines() == [
        "    ours ms  twin ms  ratio",
        "a      2.00      300    150",
        "bb     15.2",
        "why",
    ]


def test_memory_is_the_most_at_one_time():
    def work():
        first = torch.zeros(1000, 1000)
        second = first + 1
        del first
        return second * 2

    assert megabytes(work) == pytest.approx(8.0, abs=0.1)


def test_values_are_compared_entry_by_entry():
    check_equal("x", (torch.ones(2), torch.zeros(0)), (torch.ones(2), torch.zeros(0)))
    with pytest.raises(Unequal, match="bench: x: ours and its twin differ"):
        check_equal("x", torch.ones(2), torch.tensor([1.0, 1.01]))
    with pytest.raises(Unequal):
        check_equal("x", torch.tensor([0.1, float("nan")]), torch.tensor([0.1, 0.1]))
    check_equal("sums", torch.tensor([1e4, 0.05]), torch.tensor([1e4, 0.0]))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The script in a folder with times, runs, and a file that DVC keeps under a second name."""
    module = script("study")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/tiny/look/x").mkdir(parents=True)
    (tmp_path / "runs/tiny/look/x/part").write_bytes(bytes(2**20))
    (tmp_path / ".dvc/cache").mkdir(parents=True)
    (tmp_path / ".dvc/cache/part").hardlink_to(tmp_path / "runs/tiny/look/x/part")
    return module


def test_study_by_kind_of_stage(study):
    kinds = study.by_kind({"look@x": 3.0, "rows@a": 2.0, "rows@b": 4.0})
    assert kinds == {"rows": {"rows@b": 4.0, "rows@a": 2.0}, "look": {"look@x": 3.0}}
    sizes = study.gigabytes({"look": Path("runs/tiny/look"), "kept": Path(".dvc/cache"), "none": Path("none")})
    assert sizes == {"look": pytest.approx(2**20 / 1e9, rel=0.1), "kept": 0.0, "none": 0}


def test_times_here_come_before_those_of_the_passport(study, tmp_path):
    path = tmp_path / "times.json"
    assert study.known(Times(path, {"look@x": 1.0}), "tiny") == ({"look@x": 1.0}, "of the report's passport")
    path.write_text('{"rows@a": 2.0}')
    assert study.known(Times(path, {"look@x": 1.0}), "tiny")[0] == {"rows@a": 2.0}
    with pytest.raises(ValueError, match="no stage has been timed"):
        study.known(Times(tmp_path / "other.json"), "tiny")


def test_the_command_shows_the_committed_study(tmp_path, capfd):
    out = tmp_path / "study.json"
    assert cli.main(["bench", "study", "--json", str(out)]) == 0
    printed, written = capfd.readouterr().out, json.loads(out.read_text())
    assert "of one core" in printed and "kept by DVC" in printed
    total = sum(seconds for stages in written["seconds"].values() for seconds in stages.values())
    assert written["core_seconds"] == pytest.approx(total)
