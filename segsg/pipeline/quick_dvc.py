"""`python -m segsg.pipeline.quick_dvc ...`: DVC with the same arguments, quicker at its lock file.

DVC parses all of dvc.lock before a stage, and parses and writes all of it after the stage, in Python. With the 190
stages of the mini studies in it a stage that does nothing took 11 seconds of a core's time, and takes 2 with libyaml.
"""

import os
import re
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOBase
from pathlib import Path
from typing import Any, ClassVar

import yaml
from dvc import dvcfile
from dvc.cli import main
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.utils import serialize, strictyaml

LOCK = Path("dvc.lock")


class Reader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML 1.2: `on`, `no` and dates are strings, and a key that is there twice is an error."""

    yaml_implicit_resolvers: ClassVar[dict] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is there twice", node.start_mark)
        return mapping


class Writer(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
    """Quotes whatever could be taken for a number by a reader of either version of YAML."""


NUMBER = r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
# What is no string, with the characters that it may begin with; a float is what no line above it takes.
VALUES = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    "float": (NUMBER, list("-+.0123456789")),
}
for kind, (pattern, first) in VALUES.items():
    Reader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), first)
Writer.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+._]*[0-9]"), list("-+._0123456789"))
Writer.add_representer(OrderedDict, lambda writer, mapping: writer.represent_dict(mapping.items()))


def parse(text: str, path: str, typ: str = "safe") -> Any:
    """In place of DVC's function of this name, which goes on to read all other files and to tell of broken ones."""
    if Path(path).name == LOCK.name and typ == "safe":
        with suppress(yaml.YAMLError):
            return yaml.load(text, Reader) or {}
    return serialize.parse_yaml(text, path, typ)


def write(content: Any, stream: TextIOBase) -> None:
    """`content` as DVC writes it, but for breaks of long lines and quotes."""
    yaml.dump(content, stream, Writer, sort_keys=False, default_flow_style=False, allow_unicode=True)


@contextmanager
def modified(path: str, fs: Any = None) -> Iterator[Any]:
    """In place of DVC's `modify_yaml`, which goes on to change files with comments."""
    file = Path(path)
    if file.name != LOCK.name or not file.is_file():
        with serialize.modify_yaml(path, fs=fs) as content:
            yield content
        return
    content = parse(file.read_text(encoding="utf-8"), path)
    yield content
    _replace(file, content, write)


def tidy_lock() -> None:
    """dvc.lock as DVC itself would have written it; left as it is while another DVC is at work."""
    if not LOCK.is_file():
        return
    with suppress(LockError), Repo().lock:
        content = parse(LOCK.read_text(encoding="utf-8"), str(LOCK))
        _replace(LOCK, content, lambda known, stream: stream.write(serialize.dumps_yaml(known)))


def _replace(file: Path, content: Any, by: Callable[[Any, TextIOBase], Any]) -> None:
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as stream:
        by(content, stream)
    part.replace(file)


def take_over() -> None:
    """Put the functions of this module in the place of DVC's, in this process. AttributeError if DVC has none such."""
    for module, name, ours in ((strictyaml, "parse_yaml", parse), (dvcfile, "modify_yaml", modified)):
        getattr(module, name)
        setattr(module, name, ours)


if __name__ == "__main__":
    take_over()
    sys.exit(main(sys.argv[1:]))
