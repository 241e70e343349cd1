"""In which order the stages of dvc.yaml can run, several at a time."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from dvc.repo import Repo

Needs = dict[str, set[str]]
"""stages, each with those of them that it waits for"""


def outdated(repo: Repo) -> Needs:
    """Stages that are not as they should be, and all that need one of these; those that most others wait for first."""
    graph, changed = repo.index.graph, repo.status()  # edges from a stage to what it needs
    found = {other for stage in graph if stage.addressing in changed for other in (stage, *_dependents(graph, stage))}
    first = sorted(found, key=lambda stage: (-len(_dependents(graph, stage)), stage.addressing))
    return {stage.addressing: {needed.addressing for needed in graph[stage] if needed in found} for stage in first}


def _dependents(graph, stage) -> set:
    """All stages that wait for this one, at once or through others."""
    found, waiting = set(), [stage]
    while waiting:
        new = set(graph.predecessors(waiting.pop())) - found
        found |= new
        waiting += new
    return found


def run_all(needs: Needs, run: Callable[[str], str | None], jobs: int) -> list[str]:
    """Calls `run` for every stage once those that it needs are done, `jobs` at a time; returns what failed.

    What needs a failed stage is left out, everything else is done.
    """
    left, failures = {stage: set(of) for stage, of in needs.items()}, []
    running: dict[Future, str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        _start(left, running, pool, run, jobs)
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                stage, failure = running.pop(future), future.result()
                failures += [failure] if failure else []
                for of in left.values():
                    of.difference_update(() if failure else (stage,))
            _start(left, running, pool, run, jobs)
    return failures


def _start(left: Needs, running: dict[Future, str], pool: ThreadPoolExecutor, run: Callable, jobs: int) -> None:
    ready = [stage for stage, of in left.items() if not of]
    for stage in ready[: jobs - len(running)]:
        del left[stage]
        running[pool.submit(run, stage)] = stage
