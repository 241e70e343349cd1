import pytest

from segsg.study import sets


@pytest.fixture(autouse=True)
def outside_of_slurm(monkeypatch):
    for name in ("WORLD_SIZE", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)


def test_tasks_of_slurm_that_do_not_know_each_other_are_refused(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "4")
    with pytest.raises(ValueError, match=r"Slurm runs 4 tasks .* same folder; start one task .* torchrun --nnodes"):
        sets.processes()
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert sets.processes() == 1


def test_torchrun_inside_of_slurm_is_no_matter(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert sets.processes() == 8


def test_processes_share_the_images_of_a_step(monkeypatch):
    assert sets.share(8) == 8
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert sets.share(8) == 2
    with pytest.raises(ValueError, match="6 images in a step cannot be shared evenly by 4 processes"):
        sets.share(6)
