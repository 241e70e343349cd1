"""Named ways to spoil a file: values in the place of a value, and bytes in the place of a file."""

import copy
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

VALUES: dict[str, Any] = {
    "null": None,
    "text": "x",
    "no text": "",
    "NaN": float("nan"),
    "infinite": float("inf"),
    "huge": 10**30,
    "negative": -7,
    "fraction": 1.5,
    "truth value": True,
    "list": [1],
    "no list": [],
    "object": {"a": 1},
}
"""what may stand where something else belongs in JSON, YAML or Python"""
MISSING = object()
DEEP = "[" * 100_000 + "]" * 100_000


def put(content: Any, path: tuple, value: Any) -> Any:
    """A copy of `content` with another value at `path`, or without that key for `MISSING`."""
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        content = change(path.read_bytes())
        path.unlink()
        path.write_bytes(content)

    return spoil


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _endless(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def without_rights() -> None:
    """From here on the process is nobody in particular, who may write into the current folder.

    Root reads and writes anything, and tests may run as root.
    """
    if os.getuid() == 0:
        Path.cwd().chmod(0o777)
        os.seteuid(65534)


def unreadable(path: Path) -> None:
    """Nobody may read the file."""
    path.chmod(0)
    without_rights()


FILES: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "empty": _bytes(lambda content: b""),
    "a folder": _folder,
    "a page": _bytes(lambda content: b"<!DOCTYPE html>\n<html><body>404 not found</body></html>\n"),
    "binary": _bytes(lambda content: bytes(range(256)) * 4),
    "cut": _bytes(lambda content: content[: len(content) // 2]),
    "zeros": _bytes(lambda content: bytes(len(content))),
    "a link to itself": _endless,
    "unreadable": unreadable,
}
"""ways to spoil any file, none of which can be read"""
DEEP_FILE = _bytes(lambda content: DEEP.encode())
GZIPPED = _bytes(gzip.compress)
MARKED = _bytes(lambda content: b"\xef\xbb\xbf" + content)
"""with the mark that some editors put before UTF-8"""
CRLF = _bytes(lambda content: content.replace(b"\n", b"\r\n"))


def flipped(place: float) -> Callable[[Path], None]:
    """One byte changed, at this share of the file's length."""

    def change(content: bytes) -> bytes:
        at = int(place * (len(content) - 1))
        return content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]

    return _bytes(change)


def replaced(content: bytes | str) -> Callable[[Path], None]:
    """Other content."""
    content = content.encode() if isinstance(content, str) else content
    return _bytes(lambda _: content)
