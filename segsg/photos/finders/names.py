"""Names of the classes in a file of detections: a list of names, or the categories of a COCO file."""

from pathlib import Path

from segsg.data.words import check_names
from segsg.files import DataError, read_json
from segsg.values import CORRECT, field, once, proper_name, whole_number

MOST_BYTES = 2**22
"""of a file of names"""


def read_lines(path: Path, most: int) -> list[str]:
    """The lines of a text file of at most `most` bytes, without empty ones at its end. DataError for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise DataError(path, "file", f"has more than {most:,} bytes", "give the file that is meant")
        lines = content.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "correct its path") from error
    except UnicodeDecodeError as error:
        raise DataError(path, "file", "is no text in UTF-8", "give the file that is meant") from error
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def read_names(path: Path, first: int) -> dict[int, str]:
    """{number of a class: its name} of a file of names.

    A text file has one name a line, of which the first is of class `first`. A JSON file is COCO's: `categories`, each
    with `id` and `name`. DataError for anything else.
    """
    if path.suffix.lower() == ".json":
        content = read_json(path)
        return categories(path, field(path, "file", content, "categories", list))
    names = [line.strip() for line in read_lines(path, MOST_BYTES)]
    if not names:
        raise DataError(path, "file", "has no name in it", "write one class a line")
    for place, name in enumerate(names, start=1):
        proper_name(path, f"line {place}", name)
    check_names(path, "class", names)
    return dict(enumerate(names, start=first))


def categories(path: Path, entries: list) -> dict[int, str]:
    """{id: name} of COCO's list of categories."""
    ids = [whole_number(path, f"category at place {place}", entry, "id") for place, entry in enumerate(entries)]
    once(path, "category", ids)
    names = [field(path, f"category {number}", entry, "name", str) for number, entry in zip(ids, entries, strict=True)]
    if not names:
        raise DataError(path, "categories", "the list is empty", CORRECT)
    check_names(path, "category", names)
    return dict(zip(ids, names, strict=True))
