"""The command `segsg repro`: `dvc repro` with several stages at a time.

DVC runs one stage after another. Here each begins as soon as those that it needs are done, as a `dvc repro
--single-item` of its own, which wait for each other's locks; a plain `dvc repro` at the end is the check that nothing
was missed.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import Queue

from segsg.files import read_json
from segsg.pipeline.checks import check_files
from segsg.pipeline.dvc import Failure, Needs, StageFailed, mend_dvc, outdated, run_dvc, set_up_dvc
from segsg.pipeline.passport import gpus
from segsg.pipeline.processes import alone, is_ending, stoppable
from segsg.pipeline.progress import Run, Show, Times, duration, elsewhere, show_of, stages
from segsg.study import profile
from segsg.study.params import Params, load
from segsg.values import at_least

SOURCES = "sources"
"""the stage that says what the others run"""
LOCK = Path("work/repro.lock")
"""held by whoever runs the study or changes what it is"""


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command of this module, made by the `command` of segsg.cli."""
    own = command(commands, "repro", run_repro, "bring the study up to date and print where its report is")
    own.set_defaults(stopped="The same command goes on from here.")
    add_jobs(own)
    own.add_argument("--dry-run", action="store_true", help="only say which stages would run, and how long they took")
    own.add_argument("--quiet", action="store_true", help="say nothing but errors and the result")


def add_jobs(command: argparse.ArgumentParser) -> None:
    """The option `--jobs` of commands that run stages."""
    command.add_argument("--jobs", type=at_least(1), default=2, metavar="N", help="stages at a time (default: 2)")


def run_repro(options: argparse.Namespace) -> int:
    """Bring the study of params.yaml up to date."""
    with stoppable(signal.SIGINT), alone(LOCK):  # at Ctrl-C DVC notes that a stage has ended
        params = load()
        profile.check(params)
        check_files(params)
        if options.dry_run:
            print(*would_run(params), sep="\n")
            return 0
        report = reproduce(params, options.jobs, options.quiet)
        print(f"Report: {report}", *found(report), sep="\n")
    return 0


def reproduce(params: Params, jobs: int, quiet: bool = False) -> Path:
    """Bring everything that dvc.yaml describes up to date, `jobs` stages at a time; returns the report's first page.

    StageFailed if a stage fails; all that does not need it is finished first, so that its work is kept.
    """
    report = Path("reports") / params.report / "html" / "index.html"
    set_up_dvc()
    for line in mend_dvc():
        print(line)
    needs = outdated()
    if not needs:
        print(f"Nothing has changed since the last run of the study '{params.report}'.")
        return report
    logs = Path("work") / params.profile / "logs"
    if SOURCES in needs:  # every stage waits for it, and few for what an edit of one file changes
        _check(run_dvc(["repro", "--single-item", SOURCES], logs / f"{SOURCES}.log", environment({})))
        needs = outdated()
    run = Run(tuple(needs), jobs, times_of(params), logs)
    with show_of(run, quiet) as show:
        show.say(run.first_line(params.report))
        failures = run_all(needs, _runner(run, show, gpu_shares(_visible_gpus(), jobs)), jobs)
    _check(*failures)
    _check(run_dvc(["repro"], logs / "repro.log", environment({})))
    return report


def times_of(params: Params) -> Times:
    """How long the stages of the study took last time."""
    known = elsewhere(Path("reports") / params.report / "passport.json", params.profile)
    return Times(Path("work") / params.profile / "times.json", known)


def would_run(params: Params) -> list[str]:
    """A line for each stage that `reproduce` would run, in its order, and one for all; nothing is changed."""
    set_up_dvc()
    needs, times = outdated(), times_of(params)
    lines = []
    for stage in needs:
        last = times.of(stage)
        lines.append(f"{stage}  {'' if last is None else duration(last)}".rstrip())
    most = f" at most; `{SOURCES}` runs first, and finds whose code has changed" if SOURCES in needs else ""
    return [*lines, f"{stages(len(needs))} would run{most}."]


def found(report: Path) -> list[str]:
    """What a report found in one sentence; of a study that finds out nothing, what its numbers are."""
    from segsg.report.html import answer
    from segsg.report.table import warning  # templates and charts take a second

    path = report.parent.parent / "results.json"
    if not path.is_file():
        return []
    results = read_json(path)
    return answer(results)[:1] or [f"{warning(results['profile'])}."]


def _check(*failures: Failure | None) -> None:
    """StageFailed if anything failed: first all that explains, then a line for each error."""
    if failed := [failure for failure in failures if failure]:
        raise StageFailed("\n".join(part for parts in zip(*failed, strict=True) for part in parts))


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


def _runner(run: Run, show: Show, shares: list[dict[str, str]]) -> Callable[[str], Failure | None]:
    """Runs a stage on a free share of the GPUs and shows it; returns None, or what failed."""
    free: Queue[dict[str, str]] = Queue()
    for share in shares:
        free.put(share)

    def run_stage(stage: str) -> Failure | None:
        share = free.get()
        show.began(run.begins(stage))
        try:
            failure = run_dvc(["repro", "--single-item", stage], run.logs / f"{stage}.log", environment(share))
        finally:
            free.put(share)
        line = run.ends(stage, failure is not None)
        if not is_ending():
            show.say(line)
        return failure

    return run_stage
