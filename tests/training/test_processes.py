"""Several processes train as one does: real ones, on the CPU. tests/helpers/together.py says what they train."""

import csv
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from together import (
    COUNTS,
    IMAGES,
    MADE,
    STEPS,
    run,
    scene_graph_model,
    scenes,
    source,
    train_again,
    train_all,
    train_and_die,
    train_apart,
    train_nonfinite,
)

from segsg.training.checkpoint import HISTORY, WEIGHTS, trainable_state

DETECTORS = ("joint", "plain")
AMONG_FOUR = ("imp-refined", "motifs-refined", "vctree-refined", "transformer-refined", "joint")
ALMOST, NEARLY = 1e-5, 1e-2
"""Largest difference of weights in units of how far training moved them, and of losses in units of themselves. A
detector of one process has a batch norm whose gradients are two per cent off: PyTorch's own, in float32 on a processor.
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of the same trainings, by the number of processes."""
    folder = tmp_path_factory.mktemp("together")
    for processes, keys in ((1, MADE), (2, MADE), (4, AMONG_FOUR)):
        assert run(folder / str(processes), processes, train_all, list(keys)) == [0] * processes
    return folder


def history(folder):
    with (folder / HISTORY).open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def flat(state, names):
    return torch.cat([state[name].double().flatten() for name in names])


@pytest.mark.parametrize(("few", "many", "key"), [(1, 2, key) for key in MADE] + [(2, 4, key) for key in AMONG_FOUR])
def test_losses_and_weights_depend_on_no_number_of_processes(few, many, key, trained):
    one, several = (trained / str(processes) / key for processes in (few, many))
    tolerance = NEARLY if few == 1 and key in DETECTORS else ALMOST
    for alone, together in zip(history(one), history(several), strict=True):
        assert together == pytest.approx(alone, rel=tolerance, abs=tolerance)
    model = MADE[key]()[0]
    weights = [name for name, _ in model.named_parameters() if not name.startswith("detector.")]
    statistics = [name for name in trainable_state(model) if name.endswith(("running_mean", "running_var"))]
    for names in (weights, statistics) if key in DETECTORS else (weights,):
        before = flat(trainable_state(model), names)
        alone, together = (flat(load_file(folder / WEIGHTS), names) for folder in (one, several))
        assert (alone - before).norm() > 0.01
        assert (together - alone).norm() < tolerance * (alone - before).norm()


def test_in_every_step_of_four_processes_some_have_no_region(monkeypatch):
    """So the trainings above show that such a process does no harm."""
    monkeypatch.setenv("WORLD_SIZE", str(IMAGES))
    batches = source(scenes()[1])(range(STEPS.iterations * IMAGES))
    regions = torch.tensor([len(batch.boxes[0]) for batch in batches]).reshape(-1, IMAGES)
    assert (regions == 0).any(dim=1).all() and (regions > 0).any(dim=1).all()
    assert 0 in COUNTS


def test_every_model_trains_in_half_precision(tmp_path):
    """GPUs do so unless told otherwise, one as well as several."""
    assert run(tmp_path, 1, train_all, list(MADE), replace(STEPS, precision="bf16-mixed")) == [0]


DROPPING = partial(scene_graph_model, "motifs", "sgcls", is_refined=True, dropout=0.3)


@pytest.mark.parametrize(("processes", "made"), [(4, DROPPING), (2, MADE["joint"])], ids=["motifs-refined", "joint"])
def test_a_killed_run_goes_on_to_the_very_same_weights(processes, made, tmp_path):
    numbers = replace(STEPS, optimizer="adamw", iterations=5)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run(whole, processes, train_again, "key", made, numbers) == [0] * processes
    codes = run(cut, processes, train_and_die, "key", 3 * processes + 1, made, numbers)
    assert codes[1] == -9 and 0 not in codes
    assert (cut / "work" / "key" / "last.pt").exists() and not (cut / "key").exists()
    assert run(cut, processes, train_again, "key", made, numbers) == [0] * processes
    for name in (WEIGHTS, HISTORY):
        assert (whole / "key" / name).read_bytes() == (cut / "key" / name).read_bytes()
    assert not (cut / "work" / "key" / "last.pt").exists()


def test_processes_that_see_another_checkpoint_refuse(tmp_path):
    numbers = replace(STEPS, iterations=5)
    run(tmp_path, 2, train_and_die, "key", 7, MADE["frequency"], numbers)
    run(tmp_path, 2, train_apart, "key", MADE["frequency"], numbers)
    for rank in (0, 1):
        said = (tmp_path / f"said-{rank}").read_text()
        assert "last.pt: some processes see another checkpoint; they must share this folder" in said


def test_a_loss_that_is_not_finite_names_the_images_of_all_processes(tmp_path):
    run(tmp_path, 2, train_nonfinite, "key", MADE["frequency"])
    first, second = ((tmp_path / f"said-{rank}").read_text() for rank in (0, 1))
    assert first == second
    assert first.startswith("loss 'predicates' is nan at step 0, images ")
    assert len(first.split("images ")[1].split(";")[0].split(", ")) == IMAGES
