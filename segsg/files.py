"""Files: where the project is, the one error of readers, safe reading, digests, and writing whole or not at all."""

import errno
import hashlib
import json
import math
import os
import shutil
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
"""the folder that holds dvc.yaml; every path of the study is relative to it"""
METRICS_FILE = "metrics.json"
UMASK = os.umask(0o022)
os.umask(UMASK)
"""rights that the user keeps from others; to ask is to set them for a moment, so nobody asks while threads write"""
RECORD = ".segsg"
"""in a folder of results: which command wrote which files"""
MOST_VALUES = 100_000
"""in a file of parameters"""
MOST_JSON = 2**29
"""bytes that `read_json` takes; values fill about eight times as much memory"""
DIGESTS = "segsg-digests.json"
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
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""what `read_torch` and `read_arrays` raise for a file that cannot be opened, was cut short, or says something else

Texts of the first may be torch's own, which advise to run the file's code: show their type only.
"""


class DataError(ValueError):
    """A data file breaks a rule. One line: where, which item, the rule it breaks, and the way out."""

    def __init__(self, path: Path | str, item: str, rule: str, way_out: str):
        super().__init__(f"{path}: {item}: {rule}; {way_out}")
        self.path = Path(path)


def plainly(error: BaseException) -> str | None:
    """A failure that anybody may meet, in one line: what, where, and the way out. None for a fault of the program."""
    if isinstance(error, OSError) and error.strerror:
        way_out = WAYS_OUT.get(error.errno, "check the path and its permissions")
        return f"{error.filename or 'a file'}: {error.strerror}; {way_out}"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "not enough memory; give fewer or smaller images at a time, or take a machine with more"
    if isinstance(error, RecursionError):
        return "a file has brackets within brackets without end; correct it"
    return " ".join(str(error).split()) if isinstance(error, (ValueError, OSError, yaml.YAMLError)) else None


WAYS_OUT = {
    errno.ENOSPC: "free some space, then run the same command again",
    errno.EDQUOT: "free some of your quota, then run the same command again",
    errno.EFBIG: "raise the limit on the size of files",
    errno.EROFS: "name a folder that can be written to",
    errno.ENAMETOOLONG: "shorten its name",
    errno.ENOTDIR: "a part of the path is a file; name another folder",
    errno.EEXIST: "it is in the way; name another path",
}
"""number of a failure of the operating system -> what to do"""


def read_json(path: Path) -> Any:
    """The content of a JSON file. DataError if it is missing, is not JSON, is too large, or has a key twice."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_JSON + 1)
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "correct its path") from error
    if len(content) > MOST_JSON:
        raise DataError(path, "file", f"has more than {MOST_JSON} bytes", "cut it, or take another file")
    try:
        return json.loads(content, object_pairs_hook=keys_once)
    except (ValueError, RecursionError) as error:
        raise not_json(path, error) from error


def not_json(path: Path, error: Exception) -> DataError:
    """What to raise where decoding a JSON file raised `error`."""
    reason = " ".join(str(error).split())
    return DataError(path, "file", f"is not JSON ({reason:.200})", "correct it, or take it from its source again")


def keys_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. ValueError for a key that it has twice: one of the two values would be lost without a word."""
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"an object has the key {twice[:60]!a} twice")
    return record


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of plain values. DataError if it is missing or is not YAML."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "run `segsg profile use mini`") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        rule = f"is not YAML ({' '.join(str(error).split())})"
        raise DataError(path, "file", rule, "correct it, or let `segsg profile use NAME` write params.yaml") from error


class _Loader(yaml.SafeLoader):
    """Plain values alone, and no key twice, of which YAML would take the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if repeated := [key for key, count in keys.items() if count > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"'{repeated[0]}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """The plain values of a YAML text. ValueError, or an error of YAML, for anything else.

    Names for values (`&a` and `*a`) may stand for more of them than any file could hold: they are counted.
    """
    content = yaml.load(text, _Loader)
    waiting, values = [content], 0
    while waiting:
        values += 1
        if values > MOST_VALUES:
            raise ValueError(f"it stands for more than {MOST_VALUES} values")
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return content


def read_torch(path: Path, stand_ins: Iterable[tuple[type, str]] = ()) -> Any:
    """The content of a PyTorch file: tensors, plain containers, and inert `stand_ins` (class, its name in the file).

    A pickle can do anything to whoever opens it, so no code of the file is ever run. Tensors of a file of today's
    layout stay on disk until used. Raises one of `DAMAGED` for anything else.
    """
    import torch  # takes seconds, and most commands never open such a file

    with torch.serialization.safe_globals(list(stand_ins)), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a file is for its reader to say, in one line
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))


MOST_UNPACKED = 2**28
"""bytes of all arrays of an archive that is read as a whole"""


def read_arrays(path: Path) -> dict[str, "numpy.ndarray"]:
    """All arrays of an .npz file, never code. Raises one of `DAMAGED`, or ValueError for more than `MOST_UNPACKED`."""
    import numpy

    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MOST_UNPACKED:
        raise ValueError(f"{unpacked:,} bytes when unpacked; at most {MOST_UNPACKED:,} are read")
    with numpy.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def is_plain(tensor: "torch.Tensor") -> bool:
    """Whether a tensor holds its numbers itself: not sparse, not quantized, not empty of content, not one repeated."""
    import torch

    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    return plain and tensor.numel() * tensor.itemsize <= tensor.untyped_storage().nbytes()


def is_table(content: Any, columns: int) -> bool:
    """Whether the content of a PyTorch file is a tensor `[rows, columns]` of whole numbers."""
    import torch

    if not isinstance(content, torch.Tensor) or not is_plain(content):
        return False
    whole_numbers = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
    return content.ndim == 2 and content.shape[1] == columns and content.dtype in whole_numbers


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


LONGEST_NAME = 200
"""bytes of a file name that leave room for an ending; file systems take 255"""


def temporary(path: Path) -> Path:
    """Where `path` is written until it is whole: a hidden name beside it, of which nothing is left from before."""
    name = path.name.encode()[:LONGEST_NAME].decode("utf-8", "ignore")
    part = path.with_name(f".{name}.part")
    if part.is_symlink() or not part.is_dir():
        part.unlink(missing_ok=True)  # a link would lead the writer to another file
    else:
        shutil.rmtree(part)
    return part


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
    part = temporary(path)
    try:
        yield part
        part.chmod(0o666 & ~UMASK)  # some libraries write for their owner alone
        flush(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder beside `path`, which replaces all of `path` when the block ends well.

    A block that raises leaves `path` as it was.
    """
    part = temporary(path)
    part.mkdir(parents=True)
    try:
        yield part
        os.sync()  # once for all: thousands of photos, each with a wait of its own, would take minutes
        if path.exists():
            shutil.rmtree(path)
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """ValueError, before any work, if no results can be written to a folder, which need not be there yet."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise ValueError(f"{there}: is a file; name a folder for --out")
    if not os.access(there, os.W_OK):
        raise ValueError(f"{there}: cannot be written to; name another folder for --out")


class Claim:
    """A folder for a command's results, of which it may replace only what the same command wrote there before.

    Made before any work: ValueError if a file that is not ours has one of the names. `begin` is called before the
    first result is written; it lists the names in the file `RECORD` of the folder.
    """

    def __init__(self, folder: Path, command: str, names: Iterable[str]):
        check_writable(folder)
        self._record = folder / RECORD
        known = self._record.read_text(encoding="utf-8").splitlines() if self._record.is_file() else ()
        lines = {f"{command} {name}": name for name in names}
        for line, name in lines.items():
            if line not in known and os.path.lexists(folder / name):
                rule = f"would be replaced, and no `segsg {command}` wrote it"
                raise ValueError(f"{folder / name}: {rule}; name another folder for --out")
        self._lines = {*lines, *known}

    def begin(self) -> None:
        """From now on files of these names are ours."""
        write_text(self._record, "".join(f"{line}\n" for line in sorted(self._lines)))


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
        raise ValueError(f"{path}: missing; `segsg repro` makes it")
    check_seal(path)
    return read_json(path)


def user_path(text: str) -> Path:
    """The absolute path of an argument, taken from the user's folder before a command moves to the project's."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"{text}: {error}; write the folder out in full") from error


def enter_project() -> Path:
    """Makes the project's folder the current one, wherever a command or a notebook was started, and returns it."""
    if not (ROOT / "dvc.yaml").is_file():
        raise ValueError(f"{ROOT}: no dvc.yaml; the study runs from a checkout: `make setup` there, then try again")
    os.chdir(ROOT)
    return ROOT
