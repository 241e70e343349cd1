"""Kills stages of a study at random moments, lets each go on, and compares every output with an undisturbed study's.

`python tests/trials/kill.py --json FILE` runs the profile `smoke` twice in temporary copies: once in peace, once with
stages killed over and over, files torn between a kill and the next run, and a disk that is full. A quarter of an hour
on two idle cores. Kills are

- all: every process at once, as when the power fails;
- group: the process group, as the kernel of a cluster's job does, which leaves the notebook's kernel an orphan;
- inner: the notebook's kernel alone, as when memory runs out.

Linux only. Where the user is root the disturbed copy lies on a small disk in memory, which is made full; elsewhere the
size of files is limited, which raises an error of the same kind.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from segsg.pipeline.trial import create

PROFILE = "smoke"
SETS = ("stage1.checkpoint_every=2", "stage2.checkpoint_every=2")
SHARES = {
    "sources": 1, "data": 4, "yardsticks": 3, "detector": 10, "detection": 4, "look": 5, "transfer": 3,
    "scene_graph": 13,
    "evaluation": 8, "results": 2, "table": 4, "gallery": 2, "pairs": 2, "kernels": 1, "refinement": 2, "explore": 1,
    "passport": 1, "report": 2,
}  # fmt: skip
"""of 68 kills, how many each kind of stage takes"""
WAYS = ("all", "all", "all", "group", "inner")
COMPARED = (".safetensors", ".csv", ".json", ".npz", ".md", ".raw", ".h5", ".jpg", ".png", ".txt")
"""endings of outputs that hold no time of day"""
TIMED = ("passport.json",)
FOLDERS = ("data", "runs", "reports")
LINE = re.compile(r"^\[\d+/\d+\] (\S+) +(\d+) s$", re.MULTILINE)
DISK = 3 << 30
"""bytes of the small disk while it is not full"""


@dataclass
class Log:
    """What was done to the study, and how it went on."""

    kills: Counter = field(default_factory=Counter)
    """(kind of stage, way)"""
    missed: int = 0
    """the stage had ended before the moment came"""
    torn: Counter = field(default_factory=Counter)
    full: Counter = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    """what did not go on as it should"""


@dataclass
class Study:
    """A copy of the project, and how commands run in it."""

    folder: Path

    def start(self, *command: str, limit: int | None = None, log: Path) -> subprocess.Popen:
        """`python -m COMMAND` as the leader of a process group, perhaps with a limit on the sizes of files."""
        here = {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

        def prepare() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        with log.open("wb") as stream:
            return subprocess.Popen(
                [sys.executable, "-m", *command], cwd=self.folder, env=os.environ | here | {"PATH": path},
                stdout=stream,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=prepare,
            )  # fmt: skip

    def run(self, *command: str, limit: int | None = None) -> tuple[int, str]:
        """Exit code and output of a command that nobody disturbs."""
        with tempfile.TemporaryDirectory() as place:
            log = Path(place) / "log"
            code = self.start(*command, limit=limit, log=log).wait()
            return code, log.read_text(encoding="utf-8", errors="replace")

    def outputs(self) -> dict[str, str]:
        """SHA-256 of every output that is compared, by its name."""
        files = (path for name in FOLDERS for path in sorted((self.folder / name).rglob("*")))
        files = (path for path in files if path.suffix in COMPARED and path.name not in TIMED and path.is_file())
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def below(process: int) -> list[int]:
    """A process and all that it has started, directly or not, outermost first."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def kernels(processes: list[int]) -> list[int]:
    """Those of `processes` that run a notebook's cells."""
    found = []
    for process in processes:
        with contextlib.suppress(OSError):
            if b"ipykernel_launcher" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


def kill(leader: subprocess.Popen, way: str) -> str:
    """Kills in one of `WAYS`; returns the way that was possible: without a kernel the inner one is all."""
    everybody = below(leader.pid)
    if way == "inner" and (inner := kernels(everybody)):
        for process in inner:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        leader.wait()
        return "inner"
    if way == "group":
        os.killpg(leader.pid, signal.SIGKILL)
    else:
        way = "all"
        for process in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    leader.wait()
    return way


def disturb(
    study: Study, stages: dict[str, float], kills: int, random_: random.Random, log: Log, full: Callable
) -> None:
    """Runs all stages in order, and kills each of them some times before it may end."""
    counts = shares(stages, kills)
    for stage, seconds in stages.items():
        began, again = time.time(), False
        for number in range(counts[stage]):
            whole_study = number % 3 == 2 and not again
            command = ("segsg.cli", "repro", "--jobs", "1") if whole_study else single(stage, force=again)
            moment = random_.uniform(0.15, 1.0) * seconds + (4 if whole_study else 0)
            again = not attempt(study, command, stage, moment, random_.choice(WAYS), log)
            if random_.random() < 0.5 and not again:
                tear(study, began, random_, log)
        if counts[stage] and random_.random() < 0.4:
            full(stage)
        code, said = study.run(*single(stage))
        if code:
            log.troubles.append(f"{stage}: did not go on, exit code {code}: {said[-600:]}")
        print(f"{stage}: {sum(log.kills.values())} kills, {sum(log.torn.values())} torn files", flush=True)


def attempt(study: Study, command: tuple[str, ...], stage: str, moment: float, way: str, log: Log) -> bool:
    """Starts a command and kills it after so many seconds. False if it had ended before."""
    with tempfile.TemporaryDirectory() as place:
        said, began = Path(place) / "log", time.time()
        process = study.start(*command, log=said)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            logs = [
                path
                for path in (study.folder / "work" / PROFILE / "logs").glob("*.log")
                if path.stat().st_mtime > began
            ]
            at = max(logs, key=lambda path: path.stat().st_mtime).stem if logs else stage
            log.kills[at.partition("@")[0], kill(process, way)] += 1
            return True
        log.missed += 1
        if process.returncode:
            text = said.read_text(errors="replace")[-600:]
            log.troubles.append(f"{stage}: ended with {process.returncode} by itself: {text}")
        return False


def shares(stages: dict[str, float], kills: int) -> Counter:
    """How often each stage is killed: by the kinds of `SHARES`, spread over the stages of a kind."""
    counts: Counter = Counter()
    kinds = {kind: [stage for stage in stages if stage.partition("@")[0] == kind] for kind in SHARES}
    for kind, listed in kinds.items():
        for number in range(round(SHARES[kind] * kills / sum(SHARES.values()) + 0.499) if listed else 0):
            counts[listed[number % len(listed)]] += 1
    return counts


def single(stage: str, force: bool = False) -> tuple[str, ...]:
    """The command that `segsg repro` runs for one stage; with `force` also if it is up to date."""
    return ("dvc", "--wait-for-lock", "repro", *(["--force"] if force else []), "--single-item", stage)


def tear(study: Study, began: float, random_: random.Random, log: Log) -> None:
    """Cuts or changes a checkpoint, or else the last file written since `began`, when an unfinished stage began."""
    checkpoints = [path for path in (study.folder / "work").rglob("last.pt") if path.stat().st_size]
    begun = [
        path for name in FOLDERS for path in (study.folder / name).rglob("*") if path.is_file() and path.stat().st_size
    ]
    begun = [path for path in begun if path.stat().st_mtime > began]
    path = max(checkpoints or begun, key=lambda path: path.stat().st_mtime, default=None)
    if path is None:
        return
    content = path.read_bytes()
    place = random_.randrange(len(content))
    way = random_.choice(("cut", "flipped"))
    changed = content[:place] + (
        b"" if way == "cut" else bytes([content[place] ^ 1 << random_.randrange(8)]) + content[place + 1 :]
    )
    path.unlink()  # DVC may have linked the file into its cache
    path.write_bytes(changed)
    log.torn["last.pt" if checkpoints else "last output", way] += 1


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mounts a small disk in memory at `folder`; false where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    mounted = os.getuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(study: Study, disk: Path | None, random_: random.Random, log: Log) -> Callable[[str], None]:
    """A function that runs a stage while the disk is full or files may not grow."""

    def full(stage: str) -> None:
        if disk is not None:
            used = shutil.disk_usage(disk).used
            size = used + random_.choice((0, 1 << 12, 1 << 15, 1 << 18, 1 << 20))
            subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
            code, _ = study.run(*single(stage))
            subprocess.run(["mount", "-o", f"remount,size={DISK}", str(disk)], check=True)
        else:
            code, _ = study.run(*single(stage), limit=random_.choice((1 << 8, 1 << 12, 1 << 15, 1 << 18)))
        log.full["failed" if code else "ended all the same", stage.partition("@")[0]] += 1

    return full


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Names of outputs that are not equal."""
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def last_output(study: Study, random_: random.Random, log: Log) -> None:
    """Changes outputs of finished stages, which `segsg repro` has to notice and make again."""
    for pattern in (
        "runs/*/detector/*/model.safetensors",
        "runs/*/scene_graph/*/model.safetensors",
        "runs/*/evaluation/*/*.npz",
        "reports/*/tables/*.csv",
    ):
        path = random_.choice(sorted(study.folder.glob(pattern)))
        content = path.read_bytes()
        place = random_.randrange(len(content))
        path.unlink()
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        log.torn["finished output", "flipped"] += 1


def main() -> int:
    """The command; exit code 1 if anything went wrong or an output differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=66, metavar="N", help="at least so many (66)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of ways, moments and torn places (0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="counts")
    options = parser.parse_args()
    os.nice(10)
    random_, log, began = random.Random(options.seed), Log(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="segsg-kill-") as place, small_disk(Path(place) / "disk") as mounted:
        calm, killed = Study(create(Path(place) / "calm")), Study(create(Path(place) / "disk" / "killed"))
        for study in (calm, killed):
            code, said = study.run("segsg.cli", "profile", "use", PROFILE, *(f"--set={change}" for change in SETS))
            if code:
                print(said, file=sys.stderr)
                return 1
        code, said = calm.run("segsg.cli", "repro", "--jobs", "1")
        stages = {"sources": 6.0} | {stage: float(seconds) for stage, seconds in LINE.findall(said)}
        print(f"undisturbed: {len(stages)} stages, exit code {code}, {time.monotonic() - began:.0f} s", flush=True)
        if code:
            print(said[-3000:], file=sys.stderr)
            return 1
        (killed.folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = True\n")  # as `segsg repro` does
        disturb(
            killed,
            stages,
            options.kills,
            random_,
            log,
            fill(killed, killed.folder.parent if mounted else None, random_, log),
        )
        last_output(killed, random_, log)
        code, said = killed.run("segsg.cli", "repro", "--jobs", "1")
        if code:
            log.troubles.append(f"the last run ended with {code}: {said[-1500:]}")
        expected = calm.outputs()
        different = differences(expected, killed.outputs())
    result = {
        "kills": sum(log.kills.values()), "by kind of stage": _sums(log.kills, 0), "by way": _sums(log.kills, 1),
        "ended before": log.missed,
        "torn": {" ".join(what): count for what, count in sorted(log.torn.items())},
        "full disk": {" ".join(what): count for what, count in sorted(log.full.items())},
        "compared": len(expected), "different": different, "troubles": log.troubles,
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return int(bool(different or log.troubles or not expected))


def _sums(counts: Counter, part: int) -> dict[str, int]:
    sums: Counter = Counter()
    for what, count in counts.items():
        sums[what[part]] += count
    return dict(sorted(sums.items()))


if __name__ == "__main__":
    sys.exit(main())
