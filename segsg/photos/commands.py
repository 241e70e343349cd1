"""The commands `bundle` and `predict`. Each imports what it runs when it runs, as no other command needs PyTorch."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from segsg.photos.wanted import Wanted
from segsg.study.params import PARAMS_FILE, load

AddCommand = Callable[..., argparse.ArgumentParser]
SKIPPED, USAGE = 1, 2


def run_bundle(options: argparse.Namespace) -> int:
    from segsg.photos.choice import best_experiment
    from segsg.photos.export import export

    params = load(PARAMS_FILE)
    out = export(params, options.key or best_experiment(params), options.out, not options.full, options.samples)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"Bundle: {out} ({size / 1e6:.1f} MB)")
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """0, or 1 if a photo was skipped, or 2 if nothing could begin."""
    from segsg.photos.folder import find

    try:
        if options.out.exists() and not options.out.is_dir():
            raise ValueError(f"{options.out}: is a file; name a folder for the results")
        wanted, photos = Wanted(options.top, options.threshold), find(options.photos, options.out)
        from segsg.photos.bundle import load_bundle  # last: PyTorch takes seconds
        from segsg.photos.predict import predict

        bundle = load_bundle(options.bundle)
    except ValueError as error:
        print(error, file=sys.stderr)
        return USAGE
    results = predict(bundle, photos, options.out, wanted, options.batch)
    done, skipped, page = len(results.thumbnails), len(results.skipped), results.close()
    print(f"{done} of {len(photos)} photos, {skipped} skipped." + (f" Page: {page}" if page else ""))
    if bundle.warning and done:
        print(bundle.warning, file=sys.stderr)
    return SKIPPED if skipped else 0


def add_bundle(commands, command: AddCommand) -> None:
    """`segsg bundle`, made by the `command` of segsg.cli."""
    added = command(commands, "bundle", run_bundle, "write a trained experiment as one folder that needs nothing else")
    added.add_argument("key", nargs="?", help="an sgdet experiment (default: the best seg-grounded one)")
    added.add_argument("--out", type=_path, required=True, metavar="DIR", help="an older bundle in it is replaced")
    added.add_argument("--full", action="store_true", help="weights as trained, not in half precision: twice the size")
    added.add_argument("--samples", type=_count, default=0, metavar="N", help="take so many test photos along")


def add_predict(commands, command: AddCommand) -> None:
    """`segsg predict`."""
    added = command(commands, "predict", run_predict, "scene graphs of your photos: JSON, overlay and page for each")
    added.add_argument("photos", nargs="+", type=_path, metavar="PHOTO", help="files, or folders with all below them")
    added.add_argument("--bundle", type=_path, required=True, metavar="DIR", help="written by `segsg bundle`")
    added.add_argument("--out", type=_path, required=True, metavar="DIR", help="for the results")
    added.add_argument("--top", type=_count, default=Wanted.top, metavar="N", help=f"of relations ({Wanted.top})")
    least = f"least score of a relation ({Wanted.threshold})"
    added.add_argument("--threshold", type=float, default=Wanted.threshold, metavar="S", help=least)
    added.add_argument("--batch", type=_positive, default=8, metavar="N", help="photos computed at a time (8)")


def _path(text: str) -> Path:
    """Relative to where the user is, before a command moves to the project."""
    return Path(text).expanduser().absolute()


def _count(text: str) -> int:
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return int(text)


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return int(text)
