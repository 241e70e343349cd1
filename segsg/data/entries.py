"""Large JSON files read an entry at a time: nobody holds 860,000 annotations as Python's lists of numbers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from segsg.files import DataError, keys_once, not_json

CHUNK = 2**20
LARGEST = 2**26
"""characters of an entry, or of a value that is no list"""
NUMBER_GOES_ON = len("e-")
"""most characters that belong to a number and yet make none of it before the next one is known"""
DECODER = json.JSONDecoder(object_pairs_hook=keys_once)
BLANK = re.compile(r"[ \t\n\r]*")


def read_lists(path: Path) -> Iterator[tuple[str, Iterator[Any]]]:
    """(key, its entries) for each list in the one JSON object of a file, in its order; other values are passed over.

    Entries are decoded when they are asked for; what is left of them is passed over with the next key. DataError if
    the file cannot be read, or is not such JSON.
    """
    try:
        file = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "correct its path") from error
    with file:
        yield from _lists(_Text(path, file))


def _lists(text: "_Text") -> Iterator[tuple[str, Iterator[Any]]]:
    seen: set[str] = set()
    text.take("{")
    while not text.taken("}"):
        if seen:
            text.take(",")
        key = text.value()
        if type(key) is not str or key in seen:
            text.fail(f"{key!r:.60} is no key, or one that it has twice")
        seen.add(key)
        text.take(":")
        if text.taken("["):
            entries = _entries(text)
            yield key, entries
            for _ in entries:
                pass
        else:
            text.value()
    if text.peek():
        text.fail("more follows after its end")


def _entries(text: "_Text") -> Iterator[Any]:
    first = True
    while not text.taken("]"):
        if not first:
            text.take(",")
        yield text.value()
        first = False


class _Text:
    """The characters of a file, from the front. DataError where they are not what is expected."""

    def __init__(self, path: Path, file: TextIO):
        self._path, self._file = path, file
        self._text, self._place, self._before = "", 0, 0

    def fail(self, reason: str) -> NoReturn:
        """Raises the DataError, with the character of the file where the value begins."""
        raise not_json(self._path, ValueError(f"{reason}; from character {self._before + self._place} on"))

    def _more(self) -> bool:
        """Reads on, twice as much as is left, and says whether there was anything."""
        rest = self._text[self._place :]
        if len(rest) > LARGEST:
            self.fail(f"a value is longer than {LARGEST} characters, or does not end")
        try:
            read = self._file.read(max(CHUNK, 2 * len(rest)))
        except (OSError, ValueError) as error:
            raise not_json(self._path, error) from error
        self._before += self._place
        self._text, self._place = rest + read, 0
        return bool(read)

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            self._place = BLANK.match(self._text, self._place).end()
            if self._place < len(self._text) or not self._more():
                return self._text[self._place : self._place + 1]

    def taken(self, character: str) -> bool:
        """Goes past the next character if it is this one, and says whether it was."""
        found = self.peek() == character
        self._place += found
        return found

    def take(self, character: str) -> None:
        """Goes past the next character, which has to be this one."""
        if not self.taken(character):
            self.fail(f"expected {character!r}, found {self.peek()!r}")

    def value(self) -> Any:
        """The next value. One that may go on where the text that was read ends is decoded again with more of it."""
        self.peek()
        while True:
            reason, end = None, len(self._text)
            try:
                value, end = DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                reason = error.msg
            except (ValueError, RecursionError) as error:
                self.fail(str(error))
            length = end - self._place
            if reason is None and end + NUMBER_GOES_ON < len(self._text):
                break
            if not self._more():
                if reason is not None:
                    self.fail(reason)
                break
        self._place += length
        return value
