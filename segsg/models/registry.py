"""Scene graph models by name. A model is a file of this folder with a function `context`; nothing else lists it.

So whoever adds a model adds a file, and no row of another model depends on it.
"""

import importlib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
SLOT = "def context("


def names() -> list[str]:
    """Names of all scene graph models, sorted; no model is imported."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if f"\n{SLOT}" in path.read_text(encoding="utf-8"))


def context_of(name: str) -> Callable:
    """`context` of a model: from `segsg.models.parts.Materials` to its network. ValueError for an unknown name."""
    if name not in names():
        raise ValueError(f"no model '{name}'; there are {', '.join(names())}")
    return importlib.import_module(f"segsg.models.{name}").context
