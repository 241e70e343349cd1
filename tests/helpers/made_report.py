"""The inputs of a report, made up: a folder with results.json, passport.json and albums of figures."""

import json
from pathlib import Path

import numpy as np
from made_results import against, results, row

from segsg.figures.album import Album
from segsg.figures.figures import transfer_map
from segsg.report.html import ALBUMS

EVIL = "<script>window.noted.push('a name ran')</script>"
"""a name that must not be taken for markup"""
PASSPORT = {
    "profile": "mini",
    "commit": {"id": "0123456789abcdef", "changed": 0},
    "machine": {"system": "Linux", "processor": "", "cores": 2, "memory": None, "gpus": [], "threads": "1"},
    "versions": {"python": "3.11.7", "torch": "2.14.1"},
    "files": [{"path": "data/a.json", "bytes": 3, "sha256": "ab" * 32}],
    "stages": [
        {"stage": "detector", "row": "mini-fpn", "seconds": 90.0, "ended": "2026-11-24T22:31:48.4+00:00"},
        {"stage": "detector", "row": "mini-fpn-joint", "seconds": 30.0, "ended": "2026-11-24T22:33:48.4+00:00"},
        {"stage": "table1", "row": "", "seconds": 6.0, "ended": "2026-11-24T22:34:48.4+00:00"},
    ],
    "parameters": {
        "profile": "mini",
        "report": "mini-seeds",
        "seed": 0,
        "data": {"source": "drawn", "word_aliases": {}, "scene_graphs": {"annotations": EVIL}},
        "stage1": {"steps": [1, 2], "flip": True},
        "detectors": {"mini-fpn": {"backbone": "vgg-mini", "joint": False, "seed": 3}},
        "groups": {
            "first": {"detector": "f", "rows": {"a": {"model": "nobody", "seed": 0, "grounding": {"masks": "oracle"}}}},
            "second": {"detector": "f", "rows": {"b": {"model": "motifs", "seed": 1}}},
        },
    },
}


def rows(model: str = "nobody") -> list[dict]:
    """A baseline and its grounded row with R, mR and ng-mR, the grounded one 0.02 better within noise."""
    made = []
    for method, more in (("baseline", 0.0), ("seg-grounded", 0.02)):
        metrics = {f"{name}_{k}": 0.1 + more + k / 1000 for name in ("mR", "R") for k in (20, 50, 100)}
        one = row(method, model=model, **metrics)
        one["metrics"] |= {f"ng-mR@{k}": {"value": 0.5 - more, "low": 0.4, "high": 0.6} for k in (20, 50, 100)}
        made.append(one)
    gains = [against(0.02, -0.01, 0.05, metric)["baseline"] for metric in ("mR@20", "mR@50")]
    made[1]["comparisons"] = {"baseline": gains[0] | gains[1]}
    return made


def make_report(folder: Path, *more: dict) -> Path:
    """Fill the folder for `segsg.report.html.write`; `more` are further rows of results.json."""
    predicates = {"names": [EVIL, "near"], "training": [3, 20], "group": ["tail", "head"], "R@50": [0.5, 0.25]}
    found = results(*[r | {"predicates": predicates} for r in (*rows(), *more)])
    (folder / "results.json").write_text(json.dumps(found))
    (folder / "passport.json").write_text(json.dumps(PASSPORT))
    for name in ALBUMS:
        Album(folder / "figures" / name).close()
    album = Album(folder / "figures" / "gallery")
    album.add("transfer", "transfer.png", transfer_map(np.ones((1, 1)), ("a",), ("b",)), "A & B", 'say "hi" <b>')
    album.close()
    return folder
