"""Files: where the project is, the one error of readers, safe reading, digests, and writing whole or not at all."""

import hashlib
import json
import math
import os
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
"""the folder that holds dvc.yaml; every path of the study is relative to it"""
METRICS_FILE = "metrics.json"
DIGESTS = "digests.json"
"""{path: SHA-256} of all other files of the folder that a stage has made"""
DAMAGED = (
    OSError,
    EOFError,
    RuntimeError,
    UnpicklingError,
    struct.error,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""what `read_torch` raises for a file that it cannot open, that was cut short, or whose bytes say something else

Its texts may be torch's own, which advise to run the file's code: show their type only.
"""


class DataError(ValueError):
    """A data file breaks a rule. One line: where, which item, the rule it breaks, and the way out."""

    def __init__(self, path: Path | str, item: str, rule: str, way_out: str):
        super().__init__(f"{path}: {item}: {rule}; {way_out}")
        self.path = Path(path)


def read_json(path: Path) -> Any:
    """The content of a JSON file. DataError if it is missing or is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "check its path in the profile") from error
    except (ValueError, RecursionError) as error:
        raise DataError(path, "file", f"is not JSON ({error})", "download or draw it again") from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of plain values. DataError if it is missing or is not YAML."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "run `segsg profile use mini`") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        rule = f"is not YAML ({' '.join(str(error).split())})"
        raise DataError(path, "file", rule, "correct it, or let `segsg profile use NAME` write params.yaml") from error


def field(path: Path, item: str, record: Any, key: str, kind: type | tuple[type, ...] = object) -> Any:
    """`record[key]`, of the given kind. DataError names the item that lacks it."""
    if not isinstance(record, dict) or key not in record:
        raise DataError(path, item, f"has no '{key}'", "check that the file is of the kind that the profile expects")
    value = record[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(path, item, f"'{key}' is {value!r:.60}", "download or draw the file again")
    return value


def read_torch(path: Path, stand_ins: Iterable[tuple[type, str]] = ()) -> Any:
    """The content of a PyTorch file: tensors, plain containers, and inert `stand_ins` (class, its name in the file).

    A pickle can do anything to whoever opens it, so no code of the file is ever run. Tensors of a file of today's
    layout stay on disk until used. Raises one of `DAMAGED` for anything else.
    """
    import torch  # takes seconds, and most commands never open such a file

    with torch.serialization.safe_globals(list(stand_ins)):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))


def is_table(content: Any, columns: int) -> bool:
    """Whether the content of a PyTorch file is a tensor `[rows, columns]`."""
    import torch

    return isinstance(content, torch.Tensor) and content.ndim == 2 and content.shape[1] == columns


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path) -> None:
    """Writes the digests of all files of a folder, so that whoever reads one of them can see that it is still whole."""
    files = [path for path in folder.rglob("*") if path.is_file() and path != folder / DIGESTS]
    write_text(folder / DIGESTS, to_json({path.relative_to(folder).as_posix(): digest(path) for path in files}))


def check_seal(path: Path) -> None:
    """DataError if a file is not what its stage has left. Folders without digests say nothing, and pass."""
    folder = next((folder for folder in path.parents if (folder / DIGESTS).is_file()), None)
    if folder is not None and read_json(folder / DIGESTS).get(path.relative_to(folder).as_posix()) != digest(path):
        rule = f"is not what its stage has left (see {folder / DIGESTS})"
        way_out = f"delete {folder} and what `segsg verify` names, then `segsg repro` makes it again"
        raise DataError(path, "file", rule, way_out)


def flush(path: Path) -> None:
    """Waits until the bytes of a file are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its name when the block ends well: a reader never sees half a file.

    Bytes are on the disk before the name changes. The folder is made. A block that raises leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        flush(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes the whole of `text` or nothing."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def to_json(value: Any) -> str:
    """Text that is equal for equal values; what could not be measured (NaN) is null, since JSON has no NaN."""
    return json.dumps(_without_nan(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def write_metrics(folder: Path | str, metrics: dict) -> None:
    """Writes what a stage measured to `folder`/metrics.json."""
    write_text(Path(folder) / METRICS_FILE, to_json(metrics))


def read_metrics(folder: Path) -> dict:
    """What a stage measured. ValueError if the stage that writes it has not run."""
    path = folder / METRICS_FILE
    if not path.is_file():
        raise ValueError(f"{path}: missing; run its stage with `dvc repro {folder.parent.name}@{folder.name}`")
    check_seal(path)
    return json.loads(path.read_text(encoding="utf-8"))


def user_path(text: str) -> Path:
    """The absolute path of an argument, taken from the user's folder before a command moves to the project's."""
    return Path(text).expanduser().absolute()


def enter_project() -> Path:
    """Makes the project's folder the current one, wherever a command or a notebook was started, and returns it."""
    if not (ROOT / "dvc.yaml").is_file():
        raise ValueError(f"{ROOT}: no dvc.yaml; the study runs from a checkout: `make setup` there, then try again")
    os.chdir(ROOT)
    return ROOT
