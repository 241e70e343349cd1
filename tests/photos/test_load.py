"""Bundles by name, folder and address."""

import hashlib
import io
import json
import threading
import zipfile
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from browser import Quiet
from made_graphs import MINI
from made_photo_bundle import made_bundle

from segsg.files import DataError
from segsg.photos import download, load
from segsg.photos.bundle import Bundle


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder, and a function that gives the address of a file in it, with its digest or another one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def address(content, digest=None):
            (folder / "b.zip").write_bytes(content)
            digest = digest or hashlib.sha256(content).hexdigest()
            return f"http://127.0.0.1:{server.server_address[1]}/b.zip#sha256={digest}"

        yield address
        server.shutdown()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_of_the_project_has_a_name():
    assert load.folder_of("mini") == MINI
    bundle = load.load("mini", "cpu")
    assert isinstance(bundle, Bundle) and bundle.name.startswith("mini")
    with pytest.raises(ValueError, match=r"nowhere: no such bundle; give a folder, an address, or one of .*mini"):
        load.load("nowhere")
    with pytest.raises(DataError, match=r"bundle\.json: file: cannot be read"):
        load.load("/nowhere/at/all")


@pytest.mark.parametrize("device", ["moon", "cuda:99"])
def test_a_device_that_is_not_there(device):
    with pytest.raises(ValueError, match=f"device {device}: cannot be used here; give cpu"):
        load.load("mini", device)


def test_an_address_is_downloaded_once_and_checked(served, tmp_path):
    files = contents(made_bundle(tmp_path / "fakes"))
    address = served(zipped(files))
    folder = load.folder_of(address)
    assert contents(folder) == files
    (tmp_path / "served" / "b.zip").unlink()
    assert load.folder_of(address) == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"bundle.json": '{"files": {}}', "more.py": "print()"}, "file 'more.py': is not listed"),
        ({"bundle.json": '{"files": {"../x": "0"}}', "../x": ""}, "is not listed in bundle.json, or is a link"),
        ({"x/bundle.json": "{}"}, "has no bundle.json at its top"),
        ({"bundle.json": "[]"}, "is no manifest with a list of files"),
    ],
)
def test_an_archive_with_anything_else_is_refused(served, tmp_path, files, said):
    with pytest.raises(DataError, match=said):
        load.folder_of(served(zipped(files)))
    assert not list((tmp_path / "cache").rglob("*.zip")) and not list((tmp_path / "cache").rglob("bundle.json"))


def test_a_link_in_an_archive_is_refused(served):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("bundle.json", json.dumps({"files": {"NOTICE": "0"}}))
        link = zipfile.ZipInfo("NOTICE")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="or is a link"):
        load.folder_of(served(stream.getvalue()))


def test_other_files_and_no_files_are_one_line(served, monkeypatch):
    with pytest.raises(DataError, match=r"has the SHA-256 .*, not 0000"):
        load.folder_of(served(b"something", "0" * 64))
    with pytest.raises(DataError, match="is no zip file that can be unpacked"):
        load.folder_of(served(b"something"))
    with pytest.raises(DataError, match=r"cannot be downloaded \(.*File not found"):
        load.folder_of(served(b"x").replace("b.zip", "c.zip"))
    with pytest.raises(DataError, match=r"has no #sha256="):
        load.folder_of(served(b"x").partition("#")[0])
    with pytest.raises(DataError, match="cannot be downloaded"):
        load.folder_of("http://127.0.0.1:9/b.zip#sha256=" + "0" * 64)
    monkeypatch.setattr(download, "MOST_DOWNLOADED", 5)
    with pytest.raises(DataError, match="has more than 5 bytes"):
        load.folder_of(served(b"something"))
