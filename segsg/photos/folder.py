"""The folder of a bundle: its manifest, and every file that the manifest lists, unchanged and of this folder itself."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from segsg.files import DataError, digest, read_json
from segsg.values import shown

FORMAT, VERSION = "segsg-bundle", 5
"""Raise the version when a key of the manifest, or of the sections that a bundle holds, is added or goes."""
STUDY, PHOTOS = "study", "photos"
"""kinds: one network that a study trained; a finder, a masker and a relater for photographs"""
MANIFEST, CARD, WEIGHTS, SAMPLES = "bundle.json", "MODEL_CARD.md", "weights.safetensors", "samples"
MOST_BYTES, MOST_WEIGHTS = 2**26, 2**33
"""of a file beside the weights, and of weights; digests of larger ones would take minutes before they are refused"""
WEIGHTS_ENDING = ".safetensors"
SEEN = "photos.json"
"""beside the weights of a part: which photos it was trained on, and by which it was judged"""
AGAIN = "copy the whole bundle again, or write it again with `segsg bundle`"
UNTRUSTED = "do not trust this bundle"


def read_raw(folder: Path) -> dict:
    """The manifest of a bundle of this version, of whatever kind. DataError if there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        way_out = f"give a folder with {MANIFEST}, as `segsg bundle` writes it"
        raise DataError(path, "file", "cannot be read (no such file)", way_out)
    raw = read_json(path)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(path, "file", f"is not a manifest of the format {FORMAT}", "give the folder of a bundle")
    if raw.get("version") != VERSION:
        rule = f"is {raw.get('version')!r}, this segsg reads version {VERSION}"
        raise DataError(path, "version", rule, "use the segsg that wrote it, or write it again with `segsg bundle`")
    if raw.get("kind") not in (STUDY, PHOTOS):
        raise DataError(path, "kind", f"is {shown(raw.get('kind'))}, not {STUDY} or {PHOTOS}", AGAIN)
    return raw


def check_files(folder: Path, files: dict[str, str], needed: frozenset[str], allowed: Callable[[str], bool]) -> None:
    """DataError unless all files are there, allowed, of this folder itself, not too large, and have their SHA-256."""
    for name in sorted(needed - files.keys()):
        raise DataError(folder / MANIFEST, "files", f"does not list {name}", AGAIN)
    for name, expected in files.items():
        path = folder / name
        if name not in needed and not (allowed(name) and is_inside(name)):
            raise DataError(folder / MANIFEST, f"file {name!r}", "is no file of a bundle", UNTRUSTED)
        if not path.is_file():
            raise DataError(path, "file", f"is missing, but {MANIFEST} lists it", AGAIN)
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(path, "file", "is a link that leaves the bundle", UNTRUSTED)
        most = MOST_WEIGHTS if path.suffix == WEIGHTS_ENDING else MOST_BYTES
        if path.stat().st_size > most:
            raise DataError(path, "file", f"is larger than {most:,} bytes", UNTRUSTED)
        if digest(path) != expected:
            raise DataError(path, "file", f"has another SHA-256 than {MANIFEST} says", AGAIN)


def is_inside(name: str) -> bool:
    """Whether the name of a file stays in its folder, on any system."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and not set(name) & set("\\:\0")
