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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from segsg.pipeline.dvc import mend_dvc
from segsg.pipeline.trial import create

PROFILE = "smoke"
SETS = ("stage1.checkpoint_every=2", "stage2.checkpoint_every=2")
SHARES = {
    "sources": 1, "data": 4, "yardsticks": 3, "detector": 8, "refiner": 5, "detection": 4, "look": 5, "transfer": 3,
    "rows": 20,
    "results": 2, "table": 4, "gallery": 2, "pairs": 2, "kernels": 1, "refinement": 2, "explore": 1,
    "passport": 1, "report": 2,
}  # fmt: skip
"""of 70 kills, how many each kind of stage takes"""
WAYS = ("all", "all", "all", "group", "inner")
COMPARED = (".safetensors", ".csv", ".json", ".npz", ".md", ".raw", ".h5", ".jpg", ".png", ".txt")
"""endings of outputs that hold no time of day"""
TIMED = ("passport.json",)
FINISHED = (
    "runs/*/detector/*/model.safetensors", "runs/*/rows/*/*/model.safetensors", "runs/*/rows/*/*/*.npz",
    "reports/*/tables/*.csv",
)  # fmt: skip
"""outputs that are changed once all stages have ended"""
FOLDERS = ("data", "runs", "reports")
ENDED = re.compile(r"^\[\d+/\d+\] (\S+) ", re.MULTILINE)
"""what `segsg repro` prints as a stage ends"""
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

    def trouble(self, text: str) -> None:
        """Notes and prints that something did not go on as it should."""
        self.troubles.append(text)
        print(text, file=sys.stderr, flush=True)


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
    until = time.monotonic() + 10
    while time.monotonic() < until and any(Path(f"/proc/{one}").exists() for one in everybody):
        time.sleep(0.1)  # until the system has taken leave of them, DVC thinks that they still run
    return way


@dataclass
class Trial:
    """The study that is disturbed, by what chance, and what came of it."""

    study: Study
    random: random.Random
    disk: Path | None
    """a disk that may be made full; None where files are kept from growing instead"""
    log: Log = field(default_factory=Log)
    lock: bytes = b""
    """dvc.lock when it was last whole"""

    def disturb(self, stages: dict[str, float], kills: int) -> None:
        """Runs all stages, {stage: its seconds}, in order, and kills each of them some times before it may end."""
        counts, log = shares(stages, kills), self.log
        for stage, seconds in stages.items():
            began, again, done = time.time(), False, 0
            for number in range(2 * counts[stage]):  # an attempt comes too late where the machine is faster than before
                whole_study = number % 3 == 2 and not again
                command = ("segsg.cli", "repro", "--jobs", "1") if whole_study else single(stage, force=again)
                again = not self.attempt(command, stage, self.random.uniform(0.1, 0.9) * seconds + 3 * whole_study)
                done += not again
                if done == counts[stage]:
                    break
                if self.random.random() < 0.5 and not again:
                    self.tear(began)
            if counts[stage] and self.random.random() < 0.4:
                self.fill(stage)
                if self.torn():
                    self.attempt(("segsg.cli", "repro", "--jobs", "1"), stage, 2 * seconds)
                    self.mend(f"{stage}, full disk")
            mend_dvc()
            code, said = self.study.run(*single(stage))
            if code:
                log.trouble(f"{stage}: did not go on, exit code {code}: {said[-600:]}")
            print(f"{stage}: {sum(log.kills.values())} kills, {sum(log.torn.values())} torn files", flush=True)

    def attempt(self, command: tuple[str, ...], stage: str, seconds: float) -> bool:
        """Starts a command and kills it after so many seconds. False if it had ended before."""
        with tempfile.TemporaryDirectory() as place:
            mend_dvc()  # as `segsg repro` does first
            said, began = Path(place) / "log", time.time()
            process, way = self.study.start(*command, log=said), self.random.choice(WAYS)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.log.kills[self.at(began) or stage.partition("@")[0], kill(process, way)] += 1
                self.mend(f"{stage}, killed")
                return True
            self.log.missed += 1
            if process.returncode:
                text = said.read_text(errors="replace")[-600:]
                self.log.trouble(f"{stage}: ended with {process.returncode} by itself: {text}")
            return False

    def torn(self) -> list[Path]:
        """Files of DVC that are torn, with which nothing would go on; dvc.lock is kept while it is whole."""
        lock, running = self.study.folder / "dvc.lock", self.study.folder / ".dvc" / "tmp" / "rwlock"
        found = [lock] if lock.is_file() and b"schema: " not in lock.read_bytes() else []
        if lock.is_file() and not found:
            self.lock = lock.read_bytes()
        with contextlib.suppress(FileNotFoundError):
            try:
                json.loads(running.read_bytes())
            except ValueError:
                found.append(running)
        return found

    def mend(self, where: str) -> None:
        """Notes torn files of DVC, and mends them: dvc.lock as it last was, no entry of what runs."""
        for path in self.torn():
            self.log.trouble(
                f"{where}: {path.relative_to(self.study.folder)} is torn, and `segsg repro` does not mend it"
            )
            path.unlink()
            if path.name == "dvc.lock" and self.lock:
                path.write_bytes(self.lock)

    def at(self, began: float) -> str | None:
        """The kind of the stage that `segsg repro`, begun at this time, is at."""
        logs = (self.study.folder / "work" / PROFILE / "logs").glob("*.log")
        written = {path.stat().st_mtime: path.stem.partition("@")[0] for path in logs}
        return written[max(written)] if written and max(written) > began else None

    def tear(self, began: float) -> None:
        """Cuts or changes a checkpoint, or else the last file written since `began`, when an unfinished stage began."""
        files = [
            path for name in ("work", *FOLDERS) for path in (self.study.folder / name).rglob("*") if path.is_file()
        ]
        files = {path: path.stat().st_mtime for path in files if path.stat().st_size}
        checkpoints = [path for path in files if path.name == "last.pt"]
        outputs = [path for path, time_ in files.items() if time_ > began and path.suffix != ".log"]
        if path := max(checkpoints or outputs, key=files.get, default=None):
            way = self.random.choice(("cut", "flipped"))
            change(path, self.random, cut=way == "cut")
            self.log.torn["last.pt" if checkpoints else "last output", way] += 1

    def flip_finished(self) -> None:
        """Changes outputs of finished stages, which `segsg repro` has to notice and make again."""
        for pattern in FINISHED:
            change(self.random.choice(sorted(self.study.folder.glob(pattern))), self.random, cut=False)
            self.log.torn["finished output", "flipped"] += 1

    def fill(self, stage: str) -> None:
        """Runs a stage while the disk is full, or no file may grow."""
        if self.disk is not None:
            size = shutil.disk_usage(self.disk).used + self.random.choice((0, 1 << 12, 1 << 15, 1 << 18, 1 << 20))
            subprocess.run(["mount", "-o", f"remount,size={size}", str(self.disk)], check=True)
            code, _ = self.study.run(*single(stage))
            subprocess.run(["mount", "-o", f"remount,size={DISK}", str(self.disk)], check=True)
        else:
            code, _ = self.study.run(*single(stage), limit=self.random.choice((1 << 8, 1 << 12, 1 << 15, 1 << 18)))
        self.log.full["failed" if code else "ended all the same", stage.partition("@")[0]] += 1


def change(path: Path, random_: random.Random, cut: bool) -> None:
    """Cuts a file somewhere, or flips a bit."""
    content = path.read_bytes()
    place = random_.randrange(len(content))
    behind = b"" if cut else bytes([content[place] ^ 1 << random_.randrange(8)]) + content[place + 1 :]
    path.unlink()  # DVC may have linked the file into its cache
    path.write_bytes(content[:place] + behind)


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


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Names of outputs that are not equal."""
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def main() -> int:
    """The command; exit code 1 if anything went wrong or an output differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=66, metavar="N", help="at least so many (66)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of ways, moments and torn places (0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="counts")
    options = parser.parse_args()
    os.nice(10)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="segsg-kill-") as place, small_disk(Path(place) / "disk") as mounted:
        calm, killed = Study(create(Path(place) / "calm")), Study(create(Path(place) / "disk" / "killed"))
        for study in (calm, killed):
            code, said = study.run("segsg.cli", "profile", "use", PROFILE, *(f"--set={change}" for change in SETS))
            if code:
                print(said, file=sys.stderr)
                return 1
        code, said = calm.run("segsg.cli", "repro", "--jobs", "1")
        if code:
            print(said[-3000:], file=sys.stderr)
            return 1
        times = json.loads((calm.folder / "work" / PROFILE / "times.json").read_text(encoding="utf-8"))
        stages = {"sources": 6.0} | {stage: times[stage] for stage in ENDED.findall(said)}
        print(f"undisturbed: {len(stages)} stages, {time.monotonic() - began:.0f} s", flush=True)
        (killed.folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = True\n")  # as `segsg repro` does
        trial = Trial(killed, random.Random(options.seed), killed.folder.parent if mounted else None)
        with contextlib.chdir(killed.folder):
            trial.disturb(stages, options.kills)
        trial.flip_finished()
        code, said = killed.run("segsg.cli", "repro", "--jobs", "1")
        log = trial.log
        if code:
            log.trouble(f"the last run ended with {code}: {said[-1500:]}")
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
