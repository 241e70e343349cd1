"""What a trial says in the end: whether a user's files are readable, and how long the paper's schedule would take here.

Times are those of the progress bars that trainings leave in their executed notebooks.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segsg.files import write_text
from segsg.report.pages import render
from segsg.study import profile
from segsg.study.params import MaskOptimization, Params, read_section

PAGE = "trial.html"
BAR = re.compile(r"(\d+)/(\d+) \[(\d+(?::\d+)+)<")
"""of a training: steps done, steps in all, and the time since the first began"""
TRAININGS = {
    "detector without masks": "20_detector-*-fpn",
    "joint detector": "20_detector-*-joint",
    "models": "30_rows-*",
}
"""what is trained -> its executed notebooks"""
DAY, YEAR = 24 * 3600, 365
"""seconds; days"""


@dataclass(frozen=True)
class Load:
    """What a training step takes in: photos, the shorter side of each in pixels, and how many steps there are."""

    photos: int
    side: int
    steps: int


@dataclass(frozen=True)
class Timed:
    """Seconds of a step in a trial, and an estimate of the paper's training on the same machine, in days."""

    name: str
    seconds: float
    here: Load
    paper: Load

    @property
    def days(self) -> float:
        """Steps times seconds, if a step's time grows with its photos and their pixels."""
        photos, pixels = self.paper.photos / self.here.photos, (self.paper.side / self.here.side) ** 2
        return self.paper.steps * self.seconds * photos * pixels / DAY

    @property
    def duration(self) -> str:
        """The estimate with its unit."""
        return f"{self.days:.1f} days" if self.days < YEAR else f"{self.days / YEAR:.0f} years"


def write_page(report: Path, params: Params, *, executed: Path, ran: bool | None, error: str = "") -> None:
    """Writes the page of a trial to the folder `report`.

    `ran` says whether every stage ran, None if none was begun, for files with a fault. `error` is the line about files
    that could not be read. `executed` is the folder of executed notebooks.
    """
    paper = read_section(Params, profile.resolve("paper"), "profile paper")
    facts = {"ran": ran, "error": error, "timed": list(timed(executed, params, paper)), "paper": paper}
    write_text(report / PAGE, render("trial", facts | {"params": params, "looked": not error}))


def timed(executed: Path, params: Params, paper: Params) -> Iterator[Timed]:
    """The trainings whose notebooks are there and whose bars have ended."""
    for name, notebooks in TRAININGS.items():
        steps = params.stage2.iterations if name == "models" else params.stage1.iterations
        paths = [path for path in sorted(executed.glob(f"{notebooks}.ipynb")) if ".part" not in path.name]
        seconds = [each for path in paths for each in step_seconds(path, steps)]
        if seconds:
            here, there = (load(name, each) for each in (params, paper))
            yield Timed(name, sum(seconds) / len(seconds), here, there)


def load(name: str, params: Params) -> Load:
    """What a step of a training takes in; masks are asked of the joint detector alone."""
    numbers: MaskOptimization = params.stage2 if name == "models" else params.stage1
    photos = numbers.images + (numbers.mask_images if name == "joint detector" else 0)
    return Load(photos, params.data.short_side, numbers.iterations)


def step_seconds(notebook: Path, steps: int) -> list[float]:
    """Seconds of a step of each training in an executed notebook that has so many steps, in the mean over them."""
    found = []
    for text in dict.fromkeys(_texts(json.loads(notebook.read_text(encoding="utf-8")))):
        for done, wanted, elapsed in BAR.findall(html.unescape(text).replace("\u2007", " ")):
            if int(done) == int(wanted) == steps:
                found.append(_seconds(elapsed) / steps)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _seconds(clock: str) -> int:
    """The number of seconds that a text `[hours:]minutes:seconds` stands for."""
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return seconds
