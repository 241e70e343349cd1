"""What this project asks of DVC: to be set up safely, to say what is out of date, and to run one stage."""

import contextlib
import json
import re
import sys
from pathlib import Path

from segsg.files import whole
from segsg.pipeline.processes import GRACE, run, wait_for

OF_DVC = Path(".dvcsite")
"""what DVC remembers of files and opens as pickles, see .dvc/config"""
DVC_LOCK, LAST_GOOD, RWLOCK = Path("dvc.lock"), Path("work/dvc.lock"), Path(".dvc/tmp/rwlock")
"""what each stage made of what; a copy from before the last run; who reads and writes what at this moment"""
RUNS_KEPT = Path(".dvc/cache/runs")
"""a folder for all that a stage was once made of, with what came of it"""
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


def set_up_dvc() -> None:
    """Nobody else may write what DVC trusts; and it wants to be told if it runs outside git, as in an archive."""
    from dvc.config import Config  # takes a second, and most commands never need it

    OF_DVC.mkdir(exist_ok=True)
    OF_DVC.chmod(0o700)
    if not Path(".git").exists():
        with Config.from_cwd().edit("local") as settings:
            settings["core"]["no_scm"] = True


def mend_dvc() -> list[str]:
    """What a full disk, a power cut or `kill -9` has left of DVC's own files is put in order; returns a line for each.

    Stages of a run that was killed end by themselves a moment later; they are waited for.

    Without its entry in dvc.lock a stage that ran is found in DVC's cache, by what it was made of.
    """
    lines = []
    if DVC_LOCK.exists() and not _is_lock(DVC_LOCK):
        DVC_LOCK.unlink()
        lines.append(f"{DVC_LOCK} is damaged; it begins anew")
        if LAST_GOOD.exists():
            _copy(LAST_GOOD, DVC_LOCK)
            lines[-1] = f"{DVC_LOCK} is damaged; it is taken back to what it was before the last run"
    elif DVC_LOCK.exists():
        _copy(DVC_LOCK, LAST_GOOD)
    if RWLOCK.exists():
        try:
            owners = _owners(json.loads(RWLOCK.read_bytes()))
        except (ValueError, AttributeError, TypeError, KeyError):
            owners, lines = set(), [*lines, f"{RWLOCK} is damaged; it is removed"]
        if not wait_for(owners, GRACE):
            RWLOCK.unlink(missing_ok=True)
    for folder in RUNS_KEPT.glob("*/*"):
        with contextlib.suppress(OSError):
            folder.rmdir()  # if it is empty: DVC was killed before it wrote there, and stumbles over it for ever
    return lines


def _owners(listed: dict[str, dict]) -> set[int]:
    """Process ids of all who read or write something, by DVC's list {path: {"write": {"pid"}, "read": [{"pid"}]}}."""
    entries = [entry for path in listed.values() for entry in (path.get("write"), *path.get("read", ())) if entry]
    return {int(entry["pid"]) for entry in entries}


def _is_lock(path: Path) -> bool:
    from dvc.dvcfile import Lockfile
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        return bool(Lockfile(Repo(), str(path)).load())
    except (DvcException, ValueError):
        return False


def _copy(source: Path, target: Path) -> None:
    with whole(target) as part:
        part.write_bytes(source.read_bytes())


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


def run_dvc(arguments: list[str], log: Path, variables: dict[str, str]) -> Failure | None:
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
