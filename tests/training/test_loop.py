"""The training loop on a model small enough to reason about."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from segsg.structures import Batch, Mean
from segsg.training.checkpoint import Checkpoint, Progress, load_trainable, save_weights, trainable_state
from segsg.training.loop import Plan, cosine, fit, steps, warm


class Line(nn.Module):
    """Fits w to 2; dropout makes it depend on the random state."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(4))
        self.detector = nn.Linear(1, 1)
        self.seen = []

    def losses(self, batch):
        self.seen.append(batch.image_ids[0])
        return {"line": Mean((nn.functional.dropout(self.w, 0.3) - 2).pow(2).sum(), len(self.w))}

    def mask_losses(self, batch):
        return {"mask": Mean(0 * self.w.sum(), 1)}


def batches(numbers):
    return map(batch, numbers)


def batch(number):
    empty = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    labels, relations = torch.zeros(0, dtype=torch.long), torch.zeros(0, 3, dtype=torch.long)
    return Batch([number], empty, [(2, 2)], [1.0], [torch.zeros(0, 4)], [labels], [relations])


class Moving(Fabric):
    """Setting up changes parameters, as moving them to a GPU does, here their precision."""

    def setup_module(self, module, **options):
        return super().setup_module(module.double(), **options)


def run(folder, iterations=12, fingerprint="a", model=None, every=5, sources=None, kind=Fabric):
    model, progress = progressed(folder, iterations, fingerprint, model, every, sources, kind)
    return model, progress.rows


def progressed(folder, iterations=12, fingerprint="a", model=None, every=5, sources=None, kind=Fabric, memory=0.0):
    model, rate = model or Line(), warm(cosine(12), 2)
    optimizer = torch.optim.AdamW([model.w], lr=0.1, fused=True)
    plan = Plan(iterations, rate, clip_norm=5.0, seed=3, checkpoint_every=every, keep_early=True, memory=memory)
    fabric = kind(accelerator="cpu", devices=1)
    checkpoint = Checkpoint(folder, fingerprint)
    progress = fit(
        model,
        sources or {"losses": batches},
        optimizer=optimizer,
        plan=plan,
        fabric=fabric,
        checkpoint=checkpoint,
        label="line",
    )
    return model, progress


class Interrupted(Exception):
    pass


def interrupted_at(stop):
    def source(numbers):
        for number in numbers:
            if number == stop:
                raise Interrupted
            yield batch(number)

    return {"losses": source}


def watching():
    """A model, batches for it, and the list of its weights before each step, which grows as the batches are taken."""
    watched, weights = Line(), []

    def source(numbers):
        for number in numbers:
            weights.append(watched.w.detach().clone())
            yield batch(number)

    return watched, {"losses": source}, weights


def test_interrupted_run_ends_like_an_uninterrupted_one(tmp_path):
    whole, rows = run(tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(tmp_path / "cut", sources=interrupted_at(8))
    resumed, resumed_rows = run(tmp_path / "cut")
    assert resumed.seen == [5, 6, 7, 8, 9, 10, 11]
    assert torch.equal(whole.w, resumed.w)
    assert [row["loss"] for row in rows] == [row["loss"] for row in resumed_rows]


@pytest.mark.parametrize(("iterations", "after"), [(12, 9), (10, 7), (3, 2), (2, 1), (1, 1)])
def test_weights_after_three_quarters_of_the_steps_are_kept(iterations, after, tmp_path):
    _, progress = progressed(tmp_path / "whole", iterations)
    watched, sources, weights = watching()
    progressed(tmp_path / "watched", iterations, model=watched, sources=sources)
    expected = [*weights, watched.w.detach()][after]
    assert progress.early.keys() == {"w"} and torch.equal(progress.early["w"], expected)


def test_the_result_is_the_running_mean_of_the_weights_of_all_steps(tmp_path):
    watched, sources, weights = watching()
    progressed(tmp_path / "watched", model=watched, sources=sources, memory=0.5)
    plain, _ = run(tmp_path / "plain")
    mean = weights[1]
    for step, weight in enumerate([*weights[1:], plain.w.detach()], start=1):
        kept = min(0.5, (1 + step) / (10 + step))
        mean = kept * mean + (1 - kept) * weight
    assert len(weights) == 12
    torch.testing.assert_close(watched.w.detach(), mean)
    assert not torch.equal(watched.w, plain.w)


def test_the_mean_of_weights_survives_a_resume_and_early_weights_are_means_too(tmp_path):
    whole, expected = progressed(tmp_path / "whole", memory=0.5)
    with pytest.raises(Interrupted):
        progressed(tmp_path / "cut", sources=interrupted_at(11), memory=0.5)
    resumed, found = progressed(tmp_path / "cut", memory=0.5)
    assert torch.equal(whole.w, resumed.w) and torch.equal(found.early["w"], expected.early["w"])
    _, plain = progressed(tmp_path / "plain")
    assert not torch.equal(found.early["w"], plain.early["w"])


def test_early_weights_survive_a_resume(tmp_path):
    _, expected = progressed(tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(tmp_path / "cut", sources=interrupted_at(11))
    _, resumed = progressed(tmp_path / "cut")
    assert torch.equal(resumed.early["w"], expected.early["w"])


def test_a_resumed_optimizer_follows_the_parameters_to_their_device(tmp_path):
    whole, _ = run(tmp_path / "whole", kind=Moving)
    with pytest.raises(Interrupted):
        run(tmp_path / "cut", sources=interrupted_at(8), kind=Moving)
    resumed, _ = run(tmp_path / "cut", kind=Moving)
    assert resumed.w.dtype == torch.float64 and torch.equal(whole.w, resumed.w)


def test_checkpoint_of_another_run_is_not_resumed(tmp_path, capsys):
    with pytest.raises(Interrupted):
        run(tmp_path, sources=interrupted_at(8))
    model, _ = run(tmp_path, fingerprint="b")
    assert model.seen[0] == 0
    assert "last.pt is of a run with other parameters or files" in capsys.readouterr().out


def test_losses_of_all_sources_are_summed(tmp_path):
    _, rows = run(tmp_path, sources={"losses": batches, "mask_losses": batches})
    assert set(rows[0]) == {"step", "loss", "line", "mask"}


class HalfPrecision(Fabric):
    def __init__(self, **options):
        super().__init__(precision="bf16-mixed", **options)


class Watching(Line):
    """Knows what its losses were computed in."""

    def losses(self, batch):
        self.kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
        return super().losses(batch)


@pytest.mark.parametrize(("kind", "expected"), [(HalfPrecision, torch.bfloat16), (Fabric, torch.float32)])
def test_losses_are_computed_in_the_wanted_precision(kind, expected, tmp_path):
    model, _ = run(tmp_path, model=Watching(), kind=kind)
    assert model.kind == expected


class Idle(Line):
    """Has a weight that no loss depends on."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(4))

    def losses(self, batch):
        return {"line": Mean(torch.zeros((), requires_grad=True) * 1, 1)}


def test_a_weight_that_a_step_leaves_alone_takes_part_with_a_gradient_of_zero(tmp_path):
    model, _ = run(tmp_path, model=Idle(), iterations=1)
    assert torch.equal(model.w.grad, torch.zeros(4))
    assert (model.w < 1).all()  # weight decay


def test_nonfinite_loss_is_named(tmp_path):
    model = Line()
    model.w.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="loss 'line' is nan at step 0, images 0; look at these images"):
        run(tmp_path, model=model)


class Steep(Line):
    """A loss that is finite where its gradient is not."""

    def losses(self, batch):
        return {"line": Mean((self.w * 0 + batch.image_ids[0]).abs().sum().sqrt(), 1)}


def test_nonfinite_gradient_is_named_before_it_changes_a_weight(tmp_path):
    model = Steep()
    with pytest.raises(ValueError, match="the gradient is nan at step 0, images 0"):
        run(tmp_path, model=model)
    assert torch.equal(model.w.detach(), torch.zeros(4))


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    model, optimizer = Line(), torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    checkpoint, progress = Checkpoint(tmp_path, "a"), Progress([{"step": 0, "loss": 1.0}, {"step": 1, "loss": 1.0}])
    checkpoint.save(progress, model, optimizer)
    model.w.data[2] = float("inf")
    for save in (lambda: checkpoint.save(Progress(), model, optimizer), lambda: save_weights(model, tmp_path)):
        with pytest.raises(ValueError, match="weights 'w' are not all finite numbers"):
            save()
    assert checkpoint.load(Line(), optimizer).step == 2 and not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text"])
def test_a_damaged_checkpoint_is_said_and_started_over(damage, tmp_path, capsys):
    with pytest.raises(Interrupted):
        run(tmp_path, sources=interrupted_at(8))
    path = tmp_path / "last.pt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"flip": bytes(content), "cut": content[:-9], "empty": b"", "text": b"hello"}[damage])
    model, _ = run(tmp_path)
    assert model.seen[0] == 0
    assert "last.pt is damaged; this run starts from its first step" in capsys.readouterr().out


def test_frozen_detector_is_not_saved():
    assert set(trainable_state(Line())) == {"w"}


def test_weights_of_another_model_are_refused():
    with pytest.raises(ValueError, match="another model: w, x"):
        load_trainable(Line(), {"x": torch.zeros(1)})


def test_schedules():
    assert [round(warm(lambda step: 1.0, 4)(step), 2) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert cosine(10)(0) == 1.0 and cosine(10)(10) < 1e-9
    assert [steps([2, 4])(step) for step in (1, 2, 4)] == [1.0, pytest.approx(0.1), pytest.approx(0.01)]
