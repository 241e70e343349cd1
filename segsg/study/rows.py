"""Which rows of results.json belong together: the seeds of one system, a system and its baseline, an ablation's rungs.

A row is an entry of `experiments`: what params.yaml says of it, and what was measured.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

MASKS, REFINEMENT = "masks", "refinement"
"""fields of the section `grounding`: what stands in for the masks, and whether they are refined (eq. 9)"""
TRANSFERRED, RECTANGLES, ORACLE = "transferred", "rectangles", "oracle"
UNREFINED = "none"
ALIKE = ("nodes", "edges", "channels", "kernel", "kernels", "frame", "sigmoid", REFINEMENT)
"""fields that a control shares with what it controls: the network's size, where masks meet, and what trains it"""
BASELINE, GROUNDED, FREQUENCY = "baseline", "seg-grounded", "frequency"
JOINT = "joint"
"""what a grounded system is compared with where its detector is to cancel: the baseline on that same detector"""
Changes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class System:
    """All that makes a row what it is, but for its seed. `changes` differ from the study's `grounding`, as JSON."""

    model: str
    backbone: str
    joint: bool
    method: str
    task: str
    disjoint: bool = False
    """its detector saw no mask image that is also a validation or test image"""
    changes: Changes = ()

    @property
    def plain(self) -> bool:
        """A row of tables 1 and 3: a baseline on its own detector, a grounded one as the study sets it, the floor."""
        return not self.disjoint and not self.changes and self.joint == (self.method == GROUNDED)

    @property
    def place(self) -> tuple[str, str, str]:
        """Systems of one place are compared with each other."""
        return self.model, self.backbone, self.task


def system(results: dict, row: dict) -> System:
    """What `row` is an instance of."""
    detector, standard = results["detectors"][row["detector"]], results.get("grounding", {})
    changes = row.get("grounding") or {}
    changes = sorted((name, json.dumps(value)) for name, value in changes.items() if standard.get(name) != value)
    return System(
        row["model"],
        detector["backbone"],
        detector["joint"],
        row["method"],
        row["task"],
        bool(detector.get("disjoint")),
        tuple(changes),
    )


def seeds(results: dict) -> dict[System, list[dict]]:
    """The rows of each system in the order of their seeds; systems in the order of the file."""
    found: dict[System, list[dict]] = {}
    for row in results["experiments"].values():
        found.setdefault(system(results, row), []).append(row)
    return {one: sorted(rows, key=lambda row: _seed(results, row)) for one, rows in found.items()}


def _seed(results: dict, row: dict) -> tuple[int, int]:
    """Of the detector that it stands on, and its own."""
    return results["detectors"][row["detector"]]["seed"], row["seed"]


def settings(results: dict, one: System) -> dict:
    """The section `grounding` as the system has it; empty for systems without grounding."""
    if one.method != GROUNDED:
        return {}
    return results.get("grounding", {}) | {name: json.loads(value) for name, value in one.changes}


def baseline_of(one: System) -> System:
    """The system without masks, on the detector that saw none."""
    return replace(one, method=BASELINE, joint=False, changes=(), disjoint=False)


def joint_of(one: System) -> System:
    """The system without masks on the detector of a grounded one."""
    return replace(one, method=BASELINE, changes=())


def control_of(results: dict, one: System, masks: str, among: Iterable[System]) -> System | None:
    """The grounded system with something else in place of its masks in an equal network; None without one.

    Of several, the one that is most like it otherwise.
    """
    wanted = settings(results, one) | {MASKS: masks}
    same = [o for o in among if replace(o, changes=one.changes) == one]
    found = [(settings(results, o), o) for o in same]
    found = [(s, o) for s, o in found if all(s.get(f) == wanted.get(f) for f in (MASKS, *ALIKE))]
    unlike = [sum(s.get(field) != value for field, value in wanted.items()) for s, _ in found]
    return found[unlike.index(min(unlike))][1] if found else None


def is_refined(results: dict, one: System) -> bool:
    """Whether its masks are refined."""
    return settings(results, one).get(REFINEMENT, UNREFINED) != UNREFINED


def is_control(results: dict, one: System) -> bool:
    """Whether something else stands in for transferred masks."""
    return settings(results, one).get(MASKS, TRANSFERRED) != TRANSFERRED


def references(results: dict) -> dict[str, dict[str, str]]:
    """Of each row, the rows of the same seed that it is measured against: its baseline and, if grounded, controls.

    {key: {"baseline": key, "joint": key, "rectangles": key, "oracle": key}}, without those that the study lacks.
    """
    systems = {key: system(results, row) for key, row in results["experiments"].items()}
    keys = {(one, _seed(results, results["experiments"][key])): key for key, one in systems.items()}
    found: dict[str, dict[str, str]] = {}
    for key, one in systems.items():
        others = {BASELINE: baseline_of(one)}
        if one.method == GROUNDED:
            others[JOINT] = joint_of(one)
            others |= {masks: control_of(results, one, masks, systems.values()) for masks in (RECTANGLES, ORACLE)}
        seed = _seed(results, results["experiments"][key])
        found[key] = {name: keys[(o, seed)] for name, o in others.items() if (o, seed) in keys and o != one}
    return found
