"""How long each stage of the study took, and what is on disk, by kind of stage: `segsg bench study`. It runs nothing.

Times are those that `segsg repro` noted here; without any, those in the passport of the committed report. Stages run on
one thread each unless the user says else, so their sum is the time of so many cores.
"""

import sys
from argparse import Namespace
from collections import defaultdict
from pathlib import Path

from segsg.pipeline.progress import Times
from segsg.pipeline.repro import times_of
from segsg.study.params import Params, load

sys.path.append(str(Path(__file__).resolve().parents[1] / "helpers"))
from sides import answer

CACHE = Path(".dvc") / "cache"


def by_kind(times: dict[str, float]) -> dict[str, dict[str, float]]:
    """{kind: {stage: seconds}}, what took longest first; the kind of `rows@x` is `rows`."""
    kinds: dict[str, dict[str, float]] = defaultdict(dict)
    for stage, seconds in sorted(times.items(), key=lambda one: -one[1]):
        kinds[stage.split("@")[0]][stage] = seconds
    return dict(sorted(kinds.items(), key=lambda kind: -sum(kind[1].values())))


def known(times: Times, report: str) -> tuple[dict[str, float], str]:
    """Seconds of each stage, and where they are from. ValueError if no stage has ever been timed."""
    if not times.known:
        raise ValueError(f"{times.path}: no stage has been timed; run the study '{report}' with `segsg repro`")
    return (times.here, f"of runs here, {times.path}") if times.here else (times.known, "of the report's passport")


def gigabytes(folders: dict[str, Path]) -> dict[str, float]:
    """GB that the files of each folder fill on disk; a file with several names counts once, where it is met first."""
    sizes, met = {}, set()
    for name, folder in folders.items():
        found = [path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        once = {(file.st_dev, file.st_ino): file.st_blocks * 512 for file in found}
        sizes[name] = sum(size for key, size in once.items() if key not in met) / 1e9
        met |= once.keys()
    return sizes


def folders(params: Params) -> dict[str, Path]:
    """What a study fills, by kind of stage, and what DVC keeps of all studies."""
    runs = Path("runs") / params.profile
    kinds = {path.name: path for path in sorted(runs.glob("*")) if path.is_dir()}
    return {"data": Path("data") / params.profile} | kinds | {"kept by DVC, all studies": CACHE}


def show(options: Namespace) -> dict:
    """Prints the times and the sizes of the study that params.yaml describes, and returns them."""
    params = load()
    times, source = known(times_of(params), params.report)
    kinds, sizes, whole = by_kind(times), gigabytes(folders(params)), sum(times.values())
    print(f"Study '{params.report}': times {source}")
    for kind, stages in kinds.items():
        seconds = sum(stages.values())
        print(f"{kind:32}{seconds:10.1f} s{100 * seconds / whole:6.1f} %, {len(stages)} of them")
        print(*(f"  {stage:30}{took:10.1f} s" for stage, took in stages.items()), sep="\n")
    print(f"{'all':32}{whole:10.1f} s of one core, {whole / 3600:.2f} hours")
    print(*(f"{name:32}{size:10.3f} GB" for name, size in sizes.items()), sep="\n")
    return {"study": params.report, "source": source, "seconds": kinds, "core_seconds": whole, "gigabytes": sizes}


if __name__ == "__main__":
    sys.exit(answer("study", "how long each stage took", show))
