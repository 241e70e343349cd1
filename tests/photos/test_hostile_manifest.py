"""A manifest of the present version may name no path outside its bundle and no size beyond reason, of either kind."""

import json
import shutil

import pytest
import torch
from made_graphs import MINI
from made_photo_bundle import FAKES, made_bundle

from segsg.files import DataError
from segsg.photos.bundle import load_bundle
from segsg.photos.folder import CARD, MANIFEST, MOST_BYTES, PHOTOS, STUDY, VERSION, WEIGHTS_ENDING
from segsg.photos.photo_bundle import load_photo_bundle

KINDS = {
    STUDY: (lambda folder: shutil.copytree(MINI, folder), load_bundle),
    PHOTOS: (made_bundle, lambda folder: load_photo_bundle(folder, torch.device("cpu"), FAKES)),
}
"""kind -> what makes a whole bundle in a folder, and what loads it"""


@pytest.fixture(params=KINDS)
def bundle(request, tmp_path):
    """A bundle, and a function that loads it and returns the line about it."""
    make, load = KINDS[request.param]
    folder = make(tmp_path / "bundle")
    manifest = json.loads((folder / MANIFEST).read_text())
    assert (manifest["version"], manifest["kind"]) == (VERSION, request.param)
    load(folder)  # so that only what a test changes can be wrong

    def refused():
        with pytest.raises(DataError) as told:
            load(folder)
        assert "\n" not in str(told.value)
        return str(told.value)

    return folder, refused


def listed(folder, name):
    """The manifest names one more file."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(manifest))


def enlarged(path, size):
    """A file of so many bytes that takes no room on the disk."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


OUTSIDE = (
    "../secret.txt",
    "../../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "samples/../../secret.txt",
    "facts/../../secret.txt",
    "finder/../../secret.txt",
    "samples/..",
    "..",
    ".",
    "",
    "C:/secret.txt",
    "samples/..\\..\\secret.txt",
    "samples/a\0b",
)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_outside_is_refused_before_it_is_opened(bundle, name):
    folder, refused = bundle
    (folder.parent / "secret.txt").write_text("secret")
    listed(folder, name)
    assert refused() == f"{folder / MANIFEST}: file {name!r}: is no file of a bundle; do not trust this bundle"


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd"])
@pytest.mark.parametrize("name", [CARD, "samples/1.jpg"])
def test_a_link_is_not_followed_out_of_the_bundle(bundle, name, target):
    folder, refused = bundle
    (folder / "samples").mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    listed(folder, name)
    rule = {"/dev/zero": "is missing, but bundle.json lists it", "/etc/passwd": "is a link that leaves the bundle"}
    assert refused().startswith(f"{folder / name}: file: {rule[target]}; ")


@pytest.mark.parametrize("name", [CARD, "samples/1.jpg"])
def test_a_file_beyond_the_largest_size_is_refused_before_it_is_read(bundle, name):
    folder, refused = bundle
    enlarged(folder / name, MOST_BYTES + 1)
    listed(folder, name)
    assert refused() == f"{folder / name}: file: is larger than {MOST_BYTES:,} bytes; do not trust this bundle"


def test_a_file_of_the_largest_size_is_read(bundle):
    folder, refused = bundle
    enlarged(folder / CARD, MOST_BYTES)
    assert f"{folder / CARD}: file: has another SHA-256" in refused()


def test_weights_beyond_reason_are_refused_before_they_are_read(bundle):
    folder, refused = bundle
    path = next(folder.rglob(f"weights{WEIGHTS_ENDING}"))
    enlarged(path, 2**40)
    assert f"{path}: file: is larger than" in refused()


@pytest.mark.parametrize("version", [1, VERSION - 1, VERSION + 1, str(VERSION), None])
def test_another_version_is_refused_before_anything_that_it_lists(bundle, version):
    folder, refused = bundle
    listed(folder, "/dev/zero")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"version": version}))
    assert f"version: is {version!r}, this segsg reads version {VERSION}; " in refused()
