"""What a bundle is as a folder: which files it has, and what bundle.json says of them."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from segsg.files import DataError, digest
from segsg.study.params import Params
from segsg.study.sections import read_section

FORMAT, VERSION = "segsg-bundle", 1
"""Raise the version when a key of params.yaml is added or goes, too: a bundle holds them."""
MANIFEST, WEIGHTS, CARD, FACTS, SAMPLES = "bundle.json", "weights.safetensors", "MODEL_CARD.md", "facts", "samples"
AGAIN = "copy the whole bundle again, or write it again with `segsg bundle`"


@dataclass(frozen=True)
class Manifest:
    """bundle.json. `params` are the sections that made the model, with one experiment and its detector."""

    format: Literal["segsg-bundle"]
    version: int
    name: str
    world: Literal["drawn", "photos"]
    """what the model was trained on"""
    licence: str
    classes: list[str]
    predicates: list[str]
    mask_classes: list[str]
    trained: dict
    """how: numbers of images, digests of the study's weights, test metrics"""
    params: Params
    files: dict[str, str]
    """every other file of the folder and its SHA-256; names are relative, with slashes"""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, in order of names, except bundle.json itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): digest(path) for path in files}


def read_manifest(folder: Path) -> Manifest:
    """bundle.json of a folder whose other files are all there and unchanged. DataError names what is not."""
    path = folder / MANIFEST
    raw = _read(path)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(path, "file", f"is not a manifest of the format {FORMAT}", "give the folder of a bundle")
    if raw.get("version") != VERSION:
        rule = f"is {raw.get('version')!r}, this segsg reads version {VERSION}"
        raise DataError(path, "version", rule, "use the segsg that wrote it, or write it again with `segsg bundle`")
    try:
        manifest = read_section(Manifest, raw, str(path))
    except ValueError as error:
        raise DataError(path, "contents", str(error).removeprefix(f"{path}: "), AGAIN) from error
    _check_files(folder, manifest)
    return manifest


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        way_out = f"give a folder with {MANIFEST}, as `segsg bundle` writes it"
        raise DataError(path, "file", f"cannot be read ({error.strerror})", way_out) from error
    except ValueError as error:
        raise DataError(path, "file", f"is not JSON ({error})", AGAIN) from error


def _check_files(folder: Path, manifest: Manifest) -> None:
    if len(manifest.params.experiments) != 1:
        raise DataError(folder / MANIFEST, "experiments", "has not just one experiment", AGAIN)
    for name in {WEIGHTS, CARD} - manifest.files.keys():
        raise DataError(folder / MANIFEST, "files", f"does not list {name}", AGAIN)
    for name, expected in manifest.files.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise DataError(folder / MANIFEST, f"file {name!r}", "lies outside the bundle", "do not trust this bundle")
        if not (folder / name).is_file():
            raise DataError(folder / name, "file", f"is missing, but {MANIFEST} lists it", AGAIN)
        if digest(folder / name) != expected:
            raise DataError(folder / name, "file", f"has another SHA-256 than {MANIFEST} says", AGAIN)
