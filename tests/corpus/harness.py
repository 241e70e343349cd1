"""Runs mutated inputs through the real readers and commands, each in a process of its own, and judges what comes out.

`python tests/corpus/harness.py` runs all cases and prints a table; `--only TEXT` those whose name has TEXT. One process
imports segsg and forks a child for each case, so a case costs its own work alone. A child that takes too much memory or
time is ended, and that is its verdict.
"""

import argparse
import contextlib
import dataclasses
import fnmatch
import gc
import hashlib
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_MEMORY = 2 << 30
"""bytes that a case may take beyond what the imported project takes"""
MOST_SECONDS = 30.0
"""after which a case counts as hanging; the slowest takes a few seconds on an idle core"""
EVERY = 8
"""one of so many cases of a matrix runs where nobody asks for all"""
SCRATCH = "work"
"""the folder of a project that anything may be written to"""
DIGESTED = 1 << 20
"""bytes up to which a file is compared by its content; longer ones by size and time"""
BAR = re.compile(
    r"[^\n\r]{0,200}?: +\d{1,3}%\|[^\n\r\[]{0,200}\[[^\n\r\]]{0,200}\]|\b\d{1,9}(image|photo)s? \[[^\n\r\]]{0,200}\]"
)
"""a progress bar"""
HEAD = "What became of spoilt inputs:"
"""the line before the counts"""
VERDICTS = ("clear", "right", "traceback", "hang", "silent", "over memory", "unclear", "refused", "wrong", "broken")
MEANINGS = """clear        refused with one line that names the file; nothing written
right        accepted, and a checked value or a said concern is as it should be
traceback    an error of Python, or the process died
hang         took too long
silent       accepted, and should have been refused
over memory  took more memory than a tiny file may
unclear      refused, but not in one line, without the file's name, or after writing something
refused      refused, and should have been accepted
wrong        accepted with another value than it should have
broken       the case itself could not be built"""


@dataclass
class Outcome:
    """What a case did: the value of a reader or the exit code of a command, its error, and what was said."""

    folder: Path
    value: Any = None
    error: BaseException | None = None
    out: str = ""
    err: str = ""

    @property
    def code(self) -> int:
        """Exit code of a command; 0 for a reader that returned something."""
        return self.value if type(self.value) is int else 0


@dataclass(frozen=True)
class Case:
    """An input, what is done with it, and what should come out."""

    name: str
    """AREA/FILE/MUTATION"""
    build: Callable[[Path], None]
    """writes the input into an empty folder"""
    act: Callable[[Path], Any]
    """reads it; the current folder is the same"""
    expect: str = "clear"
    """clear, right, or either; of a case about this file itself, any verdict"""
    names: str = ""
    """what the line of an error has to name"""
    holds: Callable[[Outcome], Any] | None = None
    """of what is accepted: raises AssertionError, or returns False, if something is not as it should be"""
    codes: tuple[int, ...] = (0,)
    """exit codes of a command that accepts its input"""
    meant: str = field(default="", compare=False)
    """in words, what should come out"""
    most_seconds: float = MOST_SECONDS
    one_of_many: bool = False
    """one of a whole matrix of values and places, of which one in `EVERY` runs where nobody asks for all"""

    @property
    def area(self) -> str:
        """The part of the project that the case is about."""
        return self.name.split("/")[0]


class Accepted(Exception):
    """Raised by a stand-in for long work: all checks before it have passed."""


@dataclass(frozen=True)
class Verdict:
    """One of `VERDICTS`, and what came out in a few words."""

    kind: str
    detail: str
    seconds: float = 0.0


def passed(case: Case, verdict: Verdict) -> bool:
    """Whether a case came out as expected."""
    return verdict.kind in ("clear", "right") if case.expect == "either" else verdict.kind == case.expect


def judge(case: Case, outcome: Outcome, written: list[str]) -> Verdict:
    """The verdict on a case that came to its end. `written` are files that it made or changed."""
    error = outcome.error
    if isinstance(error, MemoryError) or (error is not None and "allocate" in str(error)):
        return Verdict("over memory", _short(repr(error)))
    if "not enough memory" in outcome.err or "allocate memory" in outcome.err:
        return Verdict("over memory", _short(outcome.err))
    if "Traceback (most" in outcome.err or (error is not None and not isinstance(error, ValueError | OSError)):
        return Verdict("traceback", _short(f"{type(error).__name__}: {error}"))
    if error is None and outcome.code in case.codes:
        return _accepted(case, outcome)
    said = _lines(outcome.err) if error is None else str(error).splitlines()
    if problem := _unclear(case, said, written):
        return Verdict("unclear", problem)
    return Verdict("refused" if case.expect == "right" else "clear", _short(said[0]))


def _accepted(case: Case, outcome: Outcome) -> Verdict:
    if case.expect in ("clear", "silent"):
        return Verdict("silent", f"accepted; {_short(' '.join(_lines(outcome.err)) or 'nothing said')}")
    try:
        right = case.holds is None or case.holds(outcome) is not False
        return Verdict("right", "") if right else Verdict("wrong", "another value")
    except Exception as problem:
        place = traceback.extract_tb(problem.__traceback__)[-1]
        return Verdict("wrong", _short(f"{type(problem).__name__} {problem} at `{place.line}`"))


def _unclear(case: Case, said: list[str], written: list[str]) -> str:
    if len(said) != 1:
        return f"{len(said)} lines: {_short(' / '.join(said))}"
    if case.names not in said[0]:
        return f"does not name {case.names}: {_short(said[0])}"
    return f"wrote {', '.join(written[:3])}: {_short(said[0])}" if written else ""


def _lines(text: str) -> list[str]:
    """Lines for a reader: no progress bars, and of the parser's errors not the usage above them."""
    text = re.sub(r"^usage: .*?(?=^segsg[^\n]*: error: )", "", text, flags=re.DOTALL | re.MULTILINE)
    return [line for line in re.split(r"[\n\r]", BAR.sub("", text)) if line.strip()]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:120]} ... {text[-75:]}"


def contents(folder: Path) -> dict[str, Any]:
    """What tells whether a file below `folder` has changed, by its name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(OSError):
            if path.is_symlink() or not path.is_file():
                found[str(path.relative_to(folder))] = os.readlink(path) if path.is_symlink() else None
            elif path.stat().st_size > DIGESTED:
                found[str(path.relative_to(folder))] = (path.stat().st_size, path.stat().st_mtime_ns)
            else:
                found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of files that were made, changed or removed, but for those in `SCRATCH`."""
    different = sorted(name for name in before.keys() | after.keys() if before.get(name, "-") != after.get(name, "-"))
    return [name for name in different if Path(name).parts[0] != SCRATCH]


def _in_child(cases: list[tuple[int, Case]], place: Path, pipe: int) -> None:
    """Works off cases and writes a line about each to `pipe`. Never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number, case in cases:
        folder = place / str(number) / "in"
        folder.mkdir(parents=True)
        verdict = _one(case, folder)
        os.write(pipe, f"{json.dumps([number, vars(verdict)])}\n".encode())
        if verdict.kind not in ("clear", "right", "silent", "unclear", "refused", "wrong"):
            break  # what has failed in an unforeseen way may leave anything behind
    os._exit(0)


def _one(case: Case, folder: Path) -> Verdict:
    """Builds a case, acts, and judges."""
    logs, began = [folder.with_name(name) for name in ("out", "err")], time.monotonic()
    for number, log in enumerate(logs, start=1):
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    unlimited = resource.getrlimit(resource.RLIMIT_AS)
    try:
        case.build(folder)
    except BaseException as error:
        return Verdict("broken", _short(f"{type(error).__name__}: {error}"))
    resource.setrlimit(resource.RLIMIT_AS, (_virtual() + MOST_MEMORY, unlimited[1]))
    before, outcome = contents(folder), Outcome(folder)
    try:
        outcome.value = case.act(folder)
    except SystemExit as stop:
        outcome.value = stop.code
    except Accepted:
        outcome.value = 0
    except BaseException as error:
        outcome.error = error
    sys.stdout.flush(), sys.stderr.flush()
    os.chdir(folder)
    written = changed(before, contents(folder))
    with contextlib.suppress(OSError):
        os.seteuid(os.getuid())
    resource.setrlimit(resource.RLIMIT_AS, unlimited)
    outcome.out, outcome.err = (log.read_text(encoding="utf-8", errors="replace") for log in logs)
    return dataclasses.replace(judge(case, outcome, written), seconds=time.monotonic() - began)


def _virtual() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _resident(process: int) -> int:
    """Bytes of memory that a process holds; 0 once it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


AT_ONCE = 15
"""cases that a child works off; forking costs as much as a case"""


@dataclass
class _Child:
    """A process with its cases, the first of which it is at."""

    process: int
    pipe: int
    left: list[tuple[int, Case]]
    began: float
    """when the case began"""
    held: int
    """bytes of memory then"""
    text: bytes = b""


def run(cases: Iterable[Case], jobs: int, said: Callable[[Case, Verdict], None]) -> None:
    """Runs cases in children, `jobs` at a time, and hands over each verdict."""
    gc.collect()
    gc.freeze()
    waiting, children = list(enumerate(cases)), []
    with tempfile.TemporaryDirectory(prefix="segsg-corpus-") as place:
        os.chmod(place, 0o755)
        while waiting or children:
            while waiting and len(children) < jobs:
                children.append(_start(waiting[:AT_ONCE], Path(place)))
                del waiting[:AT_ONCE]
            select.select([child.pipe for child in children], [], [], 0.02)
            for child in list(children):
                over = _over(child)
                status = _end(child, over)
                for number, verdict in _reports(child):
                    (_, case), *child.left = child.left
                    said(case, verdict)
                    _remove(Path(place) / str(number))
                if status is None:
                    continue
                children.remove(child)
                os.close(child.pipe)
                if child.left and (over or status):
                    (number, case), *child.left = child.left
                    said(case, over or _died(Path(place) / str(number) / "err", status))
                    _remove(Path(place) / str(number))
                waiting[:0] = child.left


def _start(cases: list[tuple[int, Case]], place: Path) -> _Child:
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _in_child(cases, place, writing)
    os.close(writing)
    os.set_blocking(reading, False)
    return _Child(process, reading, cases, time.monotonic(), _resident(os.getpid()))


def _over(child: _Child) -> Verdict | None:
    """The verdict on a case that takes too much."""
    seconds, memory = time.monotonic() - child.began, _resident(child.process) - child.held
    if memory > MOST_MEMORY:
        return Verdict("over memory", f"{memory / 1e9:.1f} GB", seconds)
    late = seconds > child.left[0][1].most_seconds if child.left else False
    return Verdict("hang", f"ended after {seconds:.0f} s", seconds) if late else None


def _reports(child: _Child) -> Iterable[tuple[int, Verdict]]:
    """What a child has finished since it was last asked."""
    with contextlib.suppress(BlockingIOError):
        while part := os.read(child.pipe, 1 << 16):
            child.text += part
    *whole, child.text = child.text.split(b"\n")
    if whole:
        child.began, child.held = time.monotonic(), max(child.held, _resident(child.process))
    return [(number, Verdict(**verdict)) for number, verdict in map(json.loads, whole)]


def _end(child: _Child, over: Verdict | None) -> int | None:
    """The exit status of a child that has ended or is ended here; None for one that goes on."""
    if over:
        os.kill(child.process, signal.SIGKILL)
    process, status = os.waitpid(child.process, 0 if over else os.WNOHANG)
    if process == 0:
        return None
    return status


def _died(log: Path, status: int) -> Verdict:
    """The verdict on a case in which the process died."""
    said = log.read_text(errors="replace") if log.is_file() else ""
    return Verdict("over memory" if "alloc" in said else "traceback", _short(f"died, status {status}; {said[-150:]}"))


def _remove(folder: Path) -> None:
    def open_and_again(function, path, _error):
        os.chmod(Path(path).parent, 0o755)
        os.chmod(path, 0o755)
        function(path)

    shutil.rmtree(folder, onerror=open_and_again)


def chosen(only: list[str], thorough: bool = False) -> list[Case]:
    """The cases to run: those whose name has one of the texts in it or fits the pattern, or without any text all.

    Without a text and unless `thorough`, one in `EVERY` of the matrices, the same at every run.
    """
    import convert_cases
    import data_cases
    import formats_cases
    import harness_cases
    import photo_cases
    import project_cases
    import warm

    warm.up()
    modules = (harness_cases, convert_cases, data_cases, formats_cases, photo_cases, project_cases)
    found = [case for module in modules for case in module.cases()]
    repeated = [name for name, count in Counter(case.name for case in found).items() if count > 1]
    if repeated:
        raise ValueError(f"cases of one name: {', '.join(repeated)}")
    if only:
        return [c for c in found if any(text in c.name or fnmatch.fnmatch(c.name, text) for text in only)]
    return [c for c in found if thorough or not c.one_of_many or zlib.crc32(c.name.encode()) % EVERY == 0]


def main() -> int:
    """The command; exit code 1 if any case came out otherwise than expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="cases with TEXT in their name")
    parser.add_argument("--thorough", action="store_true", help="all cases, not a part of the matrices")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="cases at a time (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="verdicts, one JSON object a line")
    parser.add_argument("--all", action="store_true", help="show cases that came out as expected, too")
    options = parser.parse_args()
    began, results = time.monotonic(), []

    def said(case: Case, verdict: Verdict) -> None:
        results.append((case, verdict))
        if options.all or not passed(case, verdict):
            print(line(case, verdict), flush=True)

    run(chosen(options.only, options.thorough), options.jobs, said)
    print(summary(results, time.monotonic() - began))
    if options.json:
        rows = [
            vars(v) | {"name": c.name, "expect": c.expect, "meant": c.meant, "ok": passed(c, v)} for c, v in results
        ]
        options.json.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return int(not all(passed(*result) for result in results))


def line(case: Case, verdict: Verdict) -> str:
    """One case in one line: its name, what came out, what should."""
    meant = f" ({case.meant})" if case.meant else ""
    return f"{case.name}: {verdict.kind}: {verdict.detail}; should: {case.expect}{meant}"


def summary(results: list[tuple[Case, Verdict]], seconds: float) -> str:
    """Counts of all verdicts, and of cases that came out as expected; without those about this file itself."""
    results = [(case, verdict) for case, verdict in results if case.area != "harness"]
    counts = Counter(verdict.kind for _, verdict in results)
    good = sum(passed(*result) for result in results)
    table = "\n".join(f"{kind:12}{counts[kind]:5}" for kind in VERDICTS)
    return f"{HEAD}\n{table}\n{len(results)} cases in {seconds:.0f} s, {good} as expected, {len(results) - good} not"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    # Cases are checked as `harness.Case`, so this file is that module and no second one.
    sys.modules["harness"] = sys.modules["__main__"]
    sys.exit(main())
