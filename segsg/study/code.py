"""Which code a notebook, a stage or a row of the study reaches, by the imports of the project's modules.

Two answers: `record` lists files with their bytes' digests, for DVC; `meaning` is one digest of what the code does, in
which comments, docstrings and layout do not count, so that better words retrain nothing.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from segsg.files import ROOT, digest
from segsg.models import registry

PACKAGE = Path("segsg")


@cache
def imported(source: str) -> frozenset[str]:
    """Names that Python source imports, also inside functions: `from a import b` imports `a` and maybe `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def reached(names: Iterable[str], unused: Iterable[str] = ()) -> set[Path]:
    """Files of the project's modules among these names, and of all that those reach by imports, as paths in it.

    Packages are left out: their `__init__.py` holds a docstring and no code. So are `unused` modules, which are
    imported and do nothing, and what only they reach.
    """
    found: set[Path] = set()
    waiting, left_out = set(names), {_path(name) for name in unused}
    while waiting:
        path = _path(waiting.pop())
        if path not in found | left_out and PACKAGE in path.parents and (ROOT / path).is_file():
            found.add(path)
            waiting |= imported(_text(path))
    return found


def _path(name: str) -> Path:
    return Path(name.replace(".", "/")).with_suffix(".py")


def beside(modules: Iterable[Path]) -> set[Path]:
    """Files of the rooms of these modules that are no code, as templates."""
    rooms = {path.parent for path in modules} - {PACKAGE}
    files = {path for room in rooms for path in (ROOT / room).rglob("*") if path.is_file() and path.suffix != ".py"}
    return {path.relative_to(ROOT) for path in files if "__pycache__" not in path.parts}


def with_models(names: Iterable[str], models: Iterable[str]) -> set[str]:
    """Names of modules and of scene graph models, which are files that are loaded by name."""
    return {*names, *(f"{registry.__package__}.{model}" for model in models)}


def record(names: Iterable[str], models: Iterable[str] = ()) -> dict[str, str]:
    """{path: SHA-256} of all that modules of these names reach, with these scene graph models."""
    modules = reached(with_models(names, models))
    return {path.as_posix(): digest(ROOT / path) for path in modules | beside(modules)}


def meaning(names: Iterable[str], models: Iterable[str] = (), unused: Iterable[str] = ()) -> str:
    """SHA-256 of what all modules do that these names and scene graph models reach, without `unused` ones."""
    modules = reached(with_models(names, models), unused)
    listed = sorted((path.as_posix(), statements(_text(path))) for path in modules)
    return hashlib.sha256(repr(listed).encode()).hexdigest()


@cache
def statements(source: str) -> str:
    """SHA-256 of Python source without comments, docstrings and layout."""
    return hashlib.sha256(ast.dump(_WithoutTexts().visit(ast.parse(source))).encode()).hexdigest()


class _WithoutTexts(ast.NodeTransformer):
    """Leaves out strings that stand alone: docstrings of modules, classes, functions and fields."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


def _text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
