"""The command `segsg repro`: `dvc repro` with several stages at a time.

DVC runs one stage after another. Here each begins as soon as those that it needs are done, as a `dvc repro
--single-item` of its own, which wait for each other's locks; a plain `dvc repro` at the end is the check that nothing
was missed.
"""

import argparse
import itertools
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import Queue

from segsg.pipeline.checks import check_files
from segsg.pipeline.passport import gpus
from segsg.pipeline.processes import alone, run, stoppable
from segsg.study import profile
from segsg.study.params import load
from segsg.values import at_least

SOURCES = "sources"
"""the stage that says what the others run"""
OF_DVC = Path(".dvcsite")
"""what DVC remembers of files and opens as pickles, see .dvc/config"""
LOCK = Path("work/repro.lock")
"""held by whoever runs the study or changes what it is"""
SHOWN = 25
"""last lines of a failed stage's log"""
NOISE = re.compile(r"IProgress not found|notebook_tqdm")
RAISED = re.compile(r"^(\w+\.)*(DataError|ValueError): ")
"""how Python begins the line of an error of ours"""
DVC_SAYS = re.compile(r"^ERROR: ")
FULL = re.compile(r"No space left on device|Disk quota exceeded")
Needs = dict[str, set[str]]
"""stages, each with those of them that it waits for"""
Failure = tuple[str, str]
"""what stands before the error, and the line that says it"""


class StageFailed(RuntimeError):
    """At least one stage failed. The message has the end of its log, and last a line that says what was wrong."""


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command of this module, made by the `command` of segsg.cli."""
    own = command(commands, "repro", run_repro, "bring the study up to date and print where its report is")
    own.set_defaults(stopped="The same command goes on from here.")
    add_jobs(own)


def add_jobs(command: argparse.ArgumentParser) -> None:
    """The option `--jobs` of commands that run stages."""
    command.add_argument("--jobs", type=at_least(1), default=2, metavar="N", help="stages at a time (default: 2)")


def run_repro(options: argparse.Namespace) -> int:
    """Bring the study of params.yaml up to date."""
    with stoppable(signal.SIGINT), alone(LOCK):  # at Ctrl-C DVC notes that a stage has ended
        params = load()
        profile.check(params)
        check_files(params)
        print(f"Report: {reproduce(options.jobs)}")
    return 0


def reproduce(jobs: int) -> Path:
    """Bring everything that dvc.yaml describes up to date, `jobs` stages at a time; returns the report's first page.

    StageFailed if a stage fails; all that does not need it is finished first, so that its work is kept.
    """
    params = load()
    report = Path("reports") / params.report / "html" / "index.html"
    set_up_dvc()
    needs = outdated()
    if not needs:
        print(f"Nothing has changed since the last run of the study '{params.profile}'.")
        return report
    logs = Path("work") / params.profile / "logs"
    if SOURCES in needs:  # every stage waits for it, and few for what an edit of one file changes
        _check(_dvc(["repro", "--single-item", SOURCES], logs / f"{SOURCES}.log", environment({})))
        needs = outdated()
    _check(*run_all(needs, _runner(len(needs), logs, gpu_shares(_visible_gpus(), jobs)), jobs))
    _check(_dvc(["repro"], logs / "repro.log", environment({})))
    return report


def _check(*failures: Failure | None) -> None:
    """StageFailed if anything failed: first all that explains, then a line for each error."""
    if failed := [failure for failure in failures if failure]:
        raise StageFailed("\n".join(part for parts in zip(*failed, strict=True) for part in parts))


def set_up_dvc() -> None:
    """Nobody else may write what DVC trusts; and it wants to be told if it runs outside git, as in an archive."""
    from dvc.config import Config  # takes a second, and most commands never need it

    OF_DVC.mkdir(exist_ok=True)
    OF_DVC.chmod(0o700)
    if not Path(".git").exists():
        with Config.from_cwd().edit("local") as settings:
            settings["core"]["no_scm"] = True


def outdated() -> Needs:
    """Stages that are not as they should be, and all that need one of these; those that most others wait for first.

    StageFailed if DVC cannot say, for instance since another DVC works on the project.
    """
    import networkx as nx
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        repo = Repo()
        graph, changed = repo.index.graph, repo.status()  # edges from a stage to what it needs
    except LockError as error:
        raise StageFailed(f"{_holder()}; wait until it has ended, or end it") from error
    except DvcException as error:
        raise StageFailed(f"DVC: {' '.join(str(error).split())}") from error
    waiting = {stage: nx.ancestors(graph, stage) for stage in graph}
    stale = {other for stage in graph if stage.addressing in changed for other in (stage, *waiting[stage])}
    first = sorted(stale, key=lambda stage: (-len(waiting[stage]), stage.addressing))
    return {stage.addressing: {needed.addressing for needed in graph[stage] if needed in stale} for stage in first}


def _holder() -> str:
    """Says which process has DVC's lock."""
    try:
        return f"DVC is at work here in process {Path('.dvc/tmp/lock').read_text(encoding='utf-8').strip()}"
    except OSError:
        return "another DVC is at work here"


def run_all(needs: Needs, run: Callable[[str], Failure | None], jobs: int) -> list[Failure]:
    """Calls `run` for every stage once those that it needs are done, `jobs` at a time; returns what failed.

    What needs a failed stage is left out, everything else is done.
    """
    left, failures = {stage: set(needed) for stage, needed in needs.items()}, []
    running: dict[Future, str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            ready = [stage for stage, needed in left.items() if not needed]
            for stage in ready[: jobs - len(running)]:
                del left[stage]
                running[pool.submit(run, stage)] = stage
            if not running:
                return failures
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                stage, failure = running.pop(future), future.result()
                failures += [failure] if failure else []
                for needed in left.values():
                    needed.difference_update(() if failure else (stage,))


def environment(changes: dict[str, str]) -> dict[str, str]:
    """Environment of the stages: this interpreter is their `python`, and one thread each unless the user says else."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"OMP_NUM_THREADS": "1"} | os.environ | {"PATH": path} | changes


def gpu_shares(numbers: list[str], jobs: int) -> list[dict[str, str]]:
    """For each of `jobs` workers, the variable that leaves it its share of the GPUs; empty where it needs none."""
    if not numbers or jobs == 1:
        return [{}] * jobs
    return [{"CUDA_VISIBLE_DEVICES": ",".join(numbers[i % len(numbers) :: jobs])} for i in range(jobs)]


def _visible_gpus() -> list[str]:
    """Numbers of the GPUs that this process may use."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [number for number in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if number]
    return [str(number) for number in range(len(gpus()))]


def _runner(total: int, logs: Path, shares: list[dict[str, str]]) -> Callable[[str], Failure | None]:
    """Runs a stage on a free share of the GPUs and says so in a line; returns None, or what failed."""
    free: Queue[dict[str, str]] = Queue()
    for share in shares:
        free.put(share)
    numbers = itertools.count(1)

    def run_stage(stage: str) -> Failure | None:
        share, began = free.get(), time.monotonic()
        try:
            failure = _dvc(["repro", "--single-item", stage], logs / f"{stage}.log", environment(share))
        finally:
            free.put(share)
        if failure is None:
            print(f"[{next(numbers)}/{total}] {stage}  {time.monotonic() - began:.0f} s", flush=True)
        return failure

    return run_stage


def _dvc(arguments: list[str], log: Path, variables: dict[str, str]) -> Failure | None:
    """Runs DVC, which waits for its lock; returns None, or what failed. The log has the name of the stage."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        code = run(
            [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments], env=variables, stdout=stream, stderr=stream
        )
    return said(log) if code else None


def said(log: Path) -> Failure:
    """What the log of a failed stage says: its last lines, and the line of the error itself with the stage's name.

    A stage's own error is the last line before DVC's. What matters to nobody is left out.
    """
    ends = [line.rpartition("\r")[2].rstrip() for line in log.read_text(encoding="utf-8", errors="replace").split("\n")]
    lines = [line for line in ends if line and not NOISE.search(line)]
    place = max((i for i, line in enumerate(lines) if DVC_SAYS.match(line)), default=len(lines) - 1)
    if place > 0 and "failed to run:" in lines[place]:
        place -= 1
    before, error = lines[max(0, place - SHOWN) : max(0, place)], lines[place] if lines else "it said nothing"
    if full := next(filter(FULL.search, lines), None):
        error = f"{full}; free some space, then run the same command again"
    context = "\n    ".join([f"{log.stem}: failed; the end of {log}:", *before])
    return context, f"{log.stem}: {RAISED.sub('', DVC_SAYS.sub('', error))}"
