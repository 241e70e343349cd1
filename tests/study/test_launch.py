import subprocess
import sys

import pytest
import torch

from segsg.files import ROOT
from segsg.study import runs
from segsg.study.params import load

calls = []


def record(params, key, out) -> None:
    calls.append((params.profile, key, str(out)))


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)
    calls.clear()


@pytest.mark.parametrize("gpus", [0, 1])
def test_one_device_is_a_plain_call(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    runs.on_every_gpu(record, load(), "mini-fpn", tmp_path)
    assert calls == [(load().profile, "mini-fpn", str(tmp_path))]


@pytest.mark.parametrize("gpus", [0, 1, 3])
def test_tasks_of_slurm_train_nothing(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(subprocess, "run", lambda command, check: calls.append(command))
    monkeypatch.setenv("SLURM_NTASKS", "2")
    with pytest.raises(ValueError, match="Slurm runs 2 tasks"):
        runs.on_every_gpu(record, load(), "mini-fpn", tmp_path)
    assert calls == []


def test_a_process_of_torchrun_starts_no_others(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setenv("WORLD_SIZE", "3")
    runs.on_every_gpu(record, load(), "mini-fpn", tmp_path)
    assert calls == [(load().profile, "mini-fpn", str(tmp_path))]


def test_several_gpus_are_as_many_processes_that_make_the_same_call(monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    monkeypatch.setitem(sys.modules, record.__module__, sys.modules.get(record.__module__) or type(sys)("m"))
    monkeypatch.setattr(sys.modules[record.__module__], "record", record, raising=False)
    runs.on_every_gpu(record, load(), "mini-fpn", tmp_path)
    (command,) = commands
    assert "--nproc-per-node=3" in command
    assert calls == []
    runs.main(command[command.index("segsg.study.runs") + 1 :])
    assert calls == [(load().profile, "mini-fpn", str(tmp_path))]
