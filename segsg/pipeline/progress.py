"""What a run of the study shows: what runs, how far it is, how much time is left, and in the end what was found.

On a terminal the stages that run stay below what has ended, each with the last line of its log. Elsewhere, as in the
log of a server, there is a line for each event. How long a stage takes is known from its last run, here or on the
machine that made the committed report.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from threading import Lock

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from segsg.files import DataError, read_json, to_json, write_text

TAIL = 2**14
"""bytes at the end of a log that are searched for what it says now"""
ROWS = re.compile(r"^\[(\d+)/(\d+)\] ")
"""how the line of a finished row of a group begins"""
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Times:
    """How many seconds each stage took last time, kept in a file; those of `elsewhere` where it never ran here."""

    def __init__(self, path: Path, elsewhere: dict[str, float] | None = None):
        self.path = path
        try:
            self.here = {stage: float(seconds) for stage, seconds in read_json(path).items()}
        except (DataError, AttributeError, TypeError, ValueError):  # missing or damaged: it is no more than a guess
            self.here = {}
        self.known = (elsewhere or {}) | self.here

    def of(self, stage: str) -> float | None:
        """Seconds of a stage; of one that never ran the mean of its kind (`rows` of `rows@x`); None if none did."""
        if stage in self.known:
            return self.known[stage]
        kind = [seconds for other, seconds in self.known.items() if other.split("@")[0] == stage.split("@")[0]]
        return mean(kind) if kind else None

    def took(self, stage: str, seconds: float) -> None:
        """Notes the time of a stage, at once, since a run may end at any moment."""
        self.here[stage] = self.known[stage] = round(seconds, 1)
        write_text(self.path, to_json(self.here))

    def of_all(self, stages: Iterable[str]) -> float | None:
        """The sum over stages, where one that never ran counts nothing; None if most are such: that would mislead."""
        each = [self.of(stage) for stage in stages]
        known = [seconds for seconds in each if seconds is not None]
        return sum(known) if 2 * len(known) >= len(each) else None


def elsewhere(passport: Path, profile: str) -> dict[str, float]:
    """Seconds of each stage as a committed report's passport lists them; nothing without one."""
    try:
        entries = read_json(passport)["stages"]
        named = {f"{entry['stage']}@{entry['row'] or profile}": float(entry["seconds"]) for entry in entries}
    except (DataError, KeyError, TypeError, ValueError):
        return {}
    return named


@dataclass
class Run:
    """How far a run of stages is, told by the threads that run them; logs lie in a folder by the name of their stage.

    `jobs` stages run at a time.
    """

    stages: tuple[str, ...]
    jobs: int
    times: Times
    logs: Path
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    running: dict[str, float] = field(default_factory=dict)
    """by stage, when it began on the clock of `time.monotonic`"""
    _telling: Lock = field(default_factory=Lock)

    def begins(self, stage: str) -> str:
        """A stage begins; returns a line that says so."""
        with self._telling:
            self.running[stage] = time.monotonic()
        return f"{stage}: runs"

    def ends(self, stage: str, failed: bool) -> str:
        """A stage has ended; returns a line that says so, with its place among those that have."""
        with self._telling:
            seconds = time.monotonic() - self.running.pop(stage)
            (self.failed if failed else self.done).append(stage)
            if failed:
                return f"{stage}: failed after {duration(seconds)}; all that does not need it goes on"
            self.times.took(stage, seconds)
            return f"[{len(self.done)}/{len(self.stages)}] {stage}  {duration(seconds)}"

    def left(self) -> float | None:
        """Seconds to the end if each stage takes as long as last time and no job is ever idle; None if unknown."""
        now, ended = time.monotonic(), {*self.done, *self.failed}
        waiting = self.times.of_all(stage for stage in self.stages if stage not in ended)
        if waiting is None:
            return None
        running = list(self.running.items())
        spent = sum(min(now - began, self.times.of(stage) or 0.0) for stage, began in running)
        return (waiting - spent) / self.jobs

    def first_line(self, study: str) -> str:
        """What is about to happen."""
        last = self.times.of_all(self.stages)
        took = "" if last is None else f", last time {duration(last / self.jobs)}"
        return f"Study '{study}': {stages(len(self.stages))} to run, {self.jobs} at a time{took}. Logs: {self.logs}"


class Show:
    """What the user sees of a `Run`; a context in which its stages run. This one, for whoever wants quiet, is empty.

    Errors, and where the report is, are said by the command itself.
    """

    def __enter__(self) -> "Show":
        return self

    def __exit__(self, *raised) -> None:
        pass

    def began(self, line: str) -> None:
        """Says that a stage runs now."""

    def say(self, line: str) -> None:
        """Says anything else, for good."""


class Lines(Show):
    """A line for each event, for logs."""

    def began(self, line: str) -> None:
        self.say(line)

    def say(self, line: str) -> None:
        print(line, flush=True)


class Alive(Show):
    """A terminal: below what was said a bar of the whole run and a line for each running stage, twice a second."""

    def __init__(self, run: Run, console: Console):
        self.run, self.console, self.start = run, console, time.monotonic()
        self.live = Live(get_renderable=self.picture, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Alive":
        self.live.__enter__()
        return self

    def __exit__(self, *raised) -> None:
        self.live.__exit__(*raised)

    def say(self, line: str) -> None:
        self.console.print(Text(line))

    def picture(self) -> Group:
        """The bar of the run, and what each stage says."""
        run, now = self.run, time.monotonic()
        ended, left = len(run.done) + len(run.failed), run.left()
        ahead = "" if left is None else f", about {duration(left)} left"
        whole = Table.grid(padding=(0, 1))
        whole.add_row(
            ProgressBar(total=max(len(run.stages), 1), completed=ended, width=24),
            Text(f"{ended} of {stages(len(run.stages))}, {duration(now - self.start)}{ahead}"),
        )
        lines = (
            Text(f"  {stage}  {duration(now - began)}  {now_says(run.logs / f'{stage}.log')}", "dim")
            for stage, began in list(run.running.items())
        )
        return Group(whole, *(_cut(line) for line in lines))


def _cut(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def show_of(run: Run, quiet: bool, console: Console | None = None) -> Show:
    """Nothing if `quiet`; else a live picture on a terminal, and lines elsewhere."""
    console = console or Console(highlight=False)
    if quiet:
        return Show()
    return Alive(run, console) if console.is_terminal else Lines()


def now_says(log: Path) -> str:
    """The last line of a log that is being written; of a group's rows also how many are done. Empty without one."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            tail = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line for line in map(str.strip, re.split(r"[\r\n]", ANSI.sub("", tail))) if line]
    rows = [match for line in lines if (match := ROWS.match(line))]
    place = f"{rows[-1][1]} of {rows[-1][2]} rows; " if rows else ""
    return f"{place}{lines[-1]}" if lines else ""


def duration(seconds: float) -> str:
    """Seconds in words, exact enough for whoever waits."""
    if seconds < 100:
        return f"{max(0, seconds):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def stages(count: int) -> str:
    """So many stages in words."""
    return f"{count} {'stage' if count == 1 else 'stages'}"
