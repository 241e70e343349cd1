"""results.json made up for the tables: rows that say what they are and measure what they are told."""

import copy
from statistics import mean

DETECTORS = {
    "mini-fpn": {"backbone": "resnext-mini-fpn", "joint": False, "seed": 0, "metrics": {"boxes": {"AP": 0.25}}},
    "mini-fpn-joint": {
        "backbone": "resnext-mini-fpn",
        "joint": True,
        "seed": 0,
        "metrics": {"masks": {"AP": 0.3, "AP50": 0.6}},
    },
    "mini-fpn-apart": {
        "backbone": "resnext-mini-fpn",
        "joint": True,
        "disjoint": True,
        "seed": 0,
        "metrics": {"masks": {"AP": None}},
    },
}
GROUNDING = {
    "transfer": "softmax", "transfer_threshold": 0.05, "channels": 2, "nodes": True, "edges": "gaussian",
    "frame": "union", "kernel": 7, "kernels": "own", "sigmoid": False, "masks": "transferred", "refinement": "none",
}  # fmt: skip


def row(method: str, detector: str | None = None, model: str = "vctree", seed: int = 0, task: str = "sgcls", **more):
    """A row of results.json. Metrics are given as mR_20=0.1, anything else by its own name."""
    values = {name.replace("_", "@"): more.pop(name) for name in list(more) if name.split("_")[0] in ("mR", "zsR", "R")}
    detector = detector or ("mini-fpn-joint" if method == "seg-grounded" else "mini-fpn")
    measured = {
        name: {"value": v, "low": None if v is None else v - 0.01, "high": None if v is None else v + 0.01}
        for name, v in values.items()
    }
    return {
        "model": model, "detector": detector, "method": method, "task": task, "seed": seed, "images": 9,
        "grounding": {}, "metrics": measured,
    } | more  # fmt: skip


def results(*rows: dict, profile: str = "mini", **more) -> dict:
    """The file with these rows, their keys in order."""
    experiments = {f"{i:02d}": copy.deepcopy(r) for i, r in enumerate(rows)}
    pool(list(experiments.values()))
    common = copy.deepcopy({"grounding": GROUNDING, "detectors": DETECTORS})
    return {"profile": profile, **common, "experiments": experiments} | more


def pool(rows: list[dict]) -> None:
    """Gives each number of rows that differ in their seeds alone what they say together: here the means of all."""
    for one in rows:
        line = [other for other in rows if _line(other) == _line(one)]
        for path in list(_numbers(one)) if len(line) > 1 else ():
            numbers = [
                number for number in (_at(other, path) for other in line) if number and number["low"] is not None
            ]
            keys = {"value", "difference", "low", "high", "p"} & _at(one, path).keys()
            if len(numbers) == len(line):
                _at(one, path)["pooled"] = {key: mean(number[key] for number in numbers) for key in keys}


def _line(row: dict) -> dict:
    return {key: row[key] for key in ("model", "detector", "method", "task", "grounding")}


def _numbers(value, path=()):
    if isinstance(value, dict) and "low" in value:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, (*path, key))


def _at(value, path):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def against(value: float, low: float, high: float, metric: str = "mR@20", whom: str = "baseline") -> dict:
    """`comparisons` of a row: one difference."""
    return {whom: {metric: {"difference": value, "low": low, "high": high, "p": 0.02}}}


BASELINE = row("baseline", mR_20=0.1, mR_50=0.2, mR_100=0.3)
GROUNDED = row("seg-grounded", mR_20=0.15, mR_50=0.21, mR_100=0.28)
PAPER = {
    "table1": [
        {"model": "VCTree", "detector": "VGG-16", "method": "published", "sgcls": [8.2, 10.1, 10.8],
         "predcls": [14.0, 17.9, 19.4], "sgdet": [5.2, 6.9, 8.0], "status": "printed"},
        {"model": "VCTree", "detector": "ResNeXt-101-FPN", "method": "baseline", "sgcls": [8.1, 9.9, 10.6],
         "predcls": [13.7, 17.4, 19.0], "sgdet": [5.3, 6.9, 7.9], "status": "matched"},
        {"model": "VCTree", "detector": "VGG-16", "method": "baseline", "sgcls": [1.0, 2.0, 3.0],
         "predcls": [1.0, 2.0, 3.0], "sgdet": [1.0, 2.0, 3.0], "status": "printed"},
    ],
    "table2": [
        {"detector": "ResNeXt-101-FPN", "model": None, "method": "no-refine", "status": "printed",
         "sgcls": [51.6, 76.7, 56.9, 37.9, 53.7, 62.2], "sgdet": [39.2, 61.2, 42.4, 20.0, 42.3, 55.7]},
        {"detector": "ResNeXt-101-FPN", "model": "VCTree", "method": "refine", "status": "printed",
         "sgcls": [54.3, 77.9, 60.4, 41.0, 56.4, 63.8], "sgdet": [39.2, 61.2, 42.4, 19.9, 42.3, 55.7]},
    ],
    "table3": [
        {"model": "VCTree", "detector": "ResNeXt-101-FPN", "method": "baseline", "sgcls": [0.4, 1.2],
         "status": "printed"},
    ],
    "table4": [
        {"row": "Base", "mr": [8.1, 9.9, 10.6], "zsr": [0.3, 1.2], "status": "printed"},
        {"row": "Joint + OG", "mr": [9.0, 11.1, 11.8], "zsr": [0.6, 2.1], "status": "printed"},
    ],
}  # fmt: skip
