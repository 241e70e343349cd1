"""Bundles by address: a zip file of known size and SHA-256, of which only listed files are unpacked. No code is run."""

import hashlib
import json
import os
import re
import shutil
import stat
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

from segsg.files import DataError, whole, whole_folder
from segsg.photos.folder import MANIFEST, MOST_BYTES, UNTRUSTED, is_inside

ADDRESS = re.compile(r"https?://", re.IGNORECASE)
DIGEST = re.compile(r"sha256=([0-9a-fA-F]{64})")
MOST_DOWNLOADED = 2**28
"""bytes of a zip file, and of all that is in it"""
MOST_FILES = 1000
SECONDS = 30
"""without a byte from the server"""
CHUNK = 2**20


def is_address(text: str) -> bool:
    """Whether a bundle is given by its address."""
    return ADDRESS.match(text) is not None


def cache() -> Path:
    """Where downloaded bundles are kept, in folders named by their SHA-256."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "segsg" / "bundles"


def fetched(address: str) -> Path:
    """The folder of a bundle at https://...zip#sha256=..., downloaded once.

    DataError if the address has no digest, the server does not answer, or the file is another one or too large.
    """
    place, _, fragment = address.partition("#")
    found = DIGEST.fullmatch(fragment)
    if found is None:
        rule = "has no #sha256=... behind it"
        raise DataError(address, "address", rule, "add the 64 characters of the file's SHA-256, from whom you trust")
    wanted = found[1].lower()
    folder = cache() / wanted
    if not (folder / MANIFEST).is_file():
        with whole(folder.with_suffix(".zip")) as part:
            _download(place, part, wanted)
            _unpack(place, part, folder)
        folder.with_suffix(".zip").unlink()
    return folder


def _download(address: str, path: Path, wanted: str) -> None:
    read, taken = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer, path.open("wb") as file:
            while block := answer.read(CHUNK):
                taken += len(block)
                if taken > MOST_DOWNLOADED:
                    raise DataError(address, "file", f"has more than {MOST_DOWNLOADED:,} bytes", UNTRUSTED)
                read.update(block)
                file.write(block)
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        reason = " ".join(str(getattr(error, "reason", error)).split())[:120]
        raise DataError(
            address, "file", f"cannot be downloaded ({reason})", "check the address and try again"
        ) from error
    if read.hexdigest() != wanted:
        raise DataError(address, "file", f"has the SHA-256 {read.hexdigest()}, not {wanted}", UNTRUSTED)


def _unpack(address: str, path: Path, folder: Path) -> None:
    """The files that the manifest lists, and no others."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(address, archive)
            with whole_folder(folder) as part:
                for name, member in members.items():
                    target = part / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(member) as source, target.open("xb") as file:
                        shutil.copyfileobj(source, file, CHUNK)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(address, "file", "is no zip file that can be unpacked", UNTRUSTED) from error


def _members(address: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """{name: member} of the manifest and all that it lists. DataError for anything else in the archive."""
    members = {member.filename: member for member in archive.infolist() if not member.is_dir()}
    if len(archive.infolist()) > MOST_FILES or sum(each.file_size for each in members.values()) > MOST_DOWNLOADED:
        rule = f"unpacks to more than {MOST_FILES} files or {MOST_DOWNLOADED:,} bytes"
        raise DataError(address, "file", rule, UNTRUSTED)
    if MANIFEST not in members or members[MANIFEST].file_size > MOST_BYTES:
        raise DataError(address, "file", f"has no {MANIFEST} at its top", "zip the files of a bundle, not their folder")
    try:
        listed = json.loads(archive.read(MANIFEST))["files"]
        listed = {MANIFEST, *listed}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(address, MANIFEST, "is no manifest with a list of files", UNTRUSTED) from error
    for name, member in members.items():
        if name not in listed or not is_inside(name) or stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(address, f"file {name[:80]!r}", f"is not listed in {MANIFEST}, or is a link", UNTRUSTED)
    return members
