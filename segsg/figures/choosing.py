"""Lists to choose from in a notebook, where somebody is there to choose."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from IPython.display import display
from ipywidgets import Widget, interact

UNATTENDED = "SEGSG_UNATTENDED"
"""environment variable of notebooks that run without a reader; papermill can wait for the answer of a list for ever"""


def choose(show: Callable[..., Any], **choices: Widget | Sequence) -> None:
    """Calls `show` with the chosen values, at first with each widget's own or each list's first, and again at each
    choice. Without a reader it is called once."""
    if os.environ.get(UNATTENDED):
        values = {name: one.value if isinstance(one, Widget) else one[0] for name, one in choices.items()}
        if (shown := show(**values)) is not None:
            display(shown)
    else:
        interact(show, **choices)
