"""Files that come with segsg: in a checkout they are in data/facts, in an installed wheel beside the modules."""

from pathlib import Path

from segsg.files import ROOT

FOLDERS = (ROOT / "data" / "facts", Path(__file__).parents[1] / "facts")


def fact(name: str) -> Path:
    """The path of one of these files; FileNotFoundError if it is in neither place."""
    for folder in FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{name}: not among the files of segsg; install it again")
