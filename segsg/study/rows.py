"""One line of the study: `Row`, with every rule about rows. It is read from params.yaml and from results.json alike.

`rows(params)` and `rows_of(results)` give {key: Row}; `lines(results)` gives {Row without seeds: [its measured seeds]};
`references(rows)` says what each row is measured against.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from segsg.study.params import DetectorRow, ExperimentRow, Grounding, Params, read_section

BASELINE, GROUNDED, FREQUENCY = "baseline", "seg-grounded", "frequency"
"""methods"""
JOINT = "joint"
"""name of the comparison with the baseline on the same joint detector"""
MASKS, REFINEMENT = "masks", "refinement"
"""fields of the section `grounding`: what stands in for the masks, and whether they are refined (eq. 9)"""
TRANSFERRED, REFINED, RECTANGLES, ORACLE, COARSE = "transferred", "refined", "rectangles", "oracle", "coarse"
UNREFINED = "none"
CONTACT = "contact"
"""the value of `edges` with which pairs also see masks in their contact frame"""
ALIKE = ("nodes", "edges", "channels", "kernel", "kernels", "frame", "sigmoid", REFINEMENT)
"""fields that a control shares with what it controls: the network's size, where masks meet, and what trains it"""


@dataclass(frozen=True)
class Row:
    """One stage-2 run, or with `line` the line of a table that several seeds share.

    Rows are equal if they would train the same network on the same data from the same seeds; keys do not count.
    """

    model: str
    detector: DetectorRow
    method: str
    task: str
    seed: int = 0
    grounding: Grounding | None = None
    """what the row sees of masks; None for rows without masks"""
    changes: tuple[tuple[str, Any], ...] = ()
    """fields of `grounding` that differ from the study's section of that name, sorted"""
    key: str = field(default="", compare=False)
    detector_key: str = field(default="", compare=False)

    @property
    def line(self) -> "Row":
        """The row without its seeds."""
        return replace(self, seed=0, detector=replace(self.detector, seed=0), key="", detector_key="")

    @property
    def seeds(self) -> tuple[int, int]:
        """Seed of the detector that the row stands on, and its own."""
        return self.detector.seed, self.seed

    @property
    def place(self) -> tuple[str, str, str]:
        """Model, backbone and task: rows of one place are compared with each other."""
        return self.model, self.detector.backbone, self.task

    @property
    def is_grounded(self) -> bool:
        """Whether the row sees masks, or a control in their place."""
        return self.method == GROUNDED

    @property
    def is_plain(self) -> bool:
        """Whether tables 1 and 3 show it: a baseline on its own detector, a grounded row as the study sets it, or the
        frequency table."""
        return not self.detector.disjoint and not self.changes and self.detector.joint == self.is_grounded

    @property
    def is_refined(self) -> bool:
        """Whether its masks are refined (eq. 8, 9)."""
        return self.grounding is not None and self.grounding.refinement != UNREFINED

    @property
    def is_control(self) -> bool:
        """Whether something else stands in for transferred masks."""
        return self.grounding is not None and self.grounding.masks not in (TRANSFERRED, REFINED)

    @property
    def follows_pixels(self) -> bool:
        """Whether its masks come from the pixel refiner."""
        return self.grounding is not None and self.grounding.masks == REFINED

    @property
    def sees_truth(self) -> bool:
        """Whether it is an oracle, whose images bring their true masks."""
        return self.grounding is not None and self.grounding.masks in (ORACLE, COARSE)

    @property
    def is_candidate(self) -> bool:
        """Whether it may be chosen as the best: no control, and nothing that knows more than a user could (true masks,
        which classes are drawn alike, a detector kept from some mask images)."""
        usable = self.is_grounded and not self.detector.disjoint and not self.is_control
        return usable and self.grounding.transfer != ORACLE

    @property
    def baseline(self) -> "Row":
        """The row that this one is compared with: same model, task and seed, no masks, on the plain detector."""
        plain = replace(self.detector, joint=False, disjoint=False)
        return replace(self, method=BASELINE, grounding=None, changes=(), detector=plain)

    @property
    def joint(self) -> "Row":
        """The row without masks on the same joint detector."""
        return replace(self, method=BASELINE, grounding=None, changes=())

    def control(self, masks: str, among: Iterable["Row"]) -> "Row | None":
        """The grounded row of `among` with `masks` in place of its own in an equal network; None without one.

        If there are several, the one that is most like it otherwise.
        """
        if self.grounding is None:
            return None
        wanted = dataclasses.asdict(self.grounding) | {MASKS: masks}
        unlike: dict[Row, int] = {}
        for other in among:
            if replace(other, grounding=self.grounding, changes=self.changes) == self:
                values = dataclasses.asdict(other.grounding)
                if all(values[name] == wanted[name] for name in (MASKS, *ALIKE)):
                    unlike[other] = sum(values[name] != wanted[name] for name in wanted)
        return min(unlike, key=unlike.get, default=None)


def make_row(key: str, raw: ExperimentRow, *, detector: DetectorRow, standard: Grounding, where: str) -> Row:
    """A row from what params.yaml writes of it, its detector, and the study's section `grounding`.

    ValueError for changes of `grounding` that are unknown or contradict each other."""
    if (raw.model == FREQUENCY) != (raw.method == FREQUENCY):
        rule = f"model {raw.model} with method {raw.method}; the frequency table sees no pixels"
        raise ValueError(f"{where}: {key}: {rule}, so model and method are both {FREQUENCY}")
    where = f"{where}: grounding of {key}"
    values = dataclasses.asdict(standard)
    grounding = read_section(Grounding, values | raw.grounding, where) if raw.method == GROUNDED else None
    if grounding is not None and grounding.refinement != UNREFINED and grounding.masks != TRANSFERRED:
        way_out = "set refinement: none or masks: transferred"
        raise ValueError(f"{where}: masks: {grounding.masks} cannot be refined; {way_out}")
    changes = tuple(sorted((name, value) for name, value in raw.grounding.items() if values.get(name) != value))
    return Row(raw.model, detector, raw.method, raw.task, raw.seed, grounding, changes, key, raw.detector)


def rows(params: Params) -> dict[str, Row]:
    """The rows of params.yaml by key. ValueError for changes of `grounding` that are unknown or contradictory."""
    where, raw = f"profile {params.profile}", params.experiments
    shared = {"standard": params.grounding, "where": where}
    return {key: make_row(key, one, detector=params.detectors[one.detector], **shared) for key, one in raw.items()}


def row_of(params: Params, key: str) -> Row:
    """A row of params.yaml. ValueError names the rows there are."""
    params.group_of(key)
    return rows(params)[key]


def rows_of(results: Mapping) -> dict[str, Row]:
    """The rows of results.json by key. ValueError for a row that params.yaml could not have."""
    where = f"results of {results['profile']}"
    standard = read_section(Grounding, results["grounding"], f"{where}: grounding")
    detectors = {
        key: _known(DetectorRow, raw, f"{where}: detectors: {key}") for key, raw in results["detectors"].items()
    }
    found = {}
    for key, raw in results["experiments"].items():
        one = _known(ExperimentRow, raw, f"{where}: experiments: {key}")
        found[key] = make_row(key, one, detector=detectors[one.detector], standard=standard, where=where)
    return found


def _known(kind: type, raw: Mapping, where: str):
    """The fields of params.yaml in an entry of results.json, which holds what was measured beside them."""
    names = [each.name for each in dataclasses.fields(kind)]
    return read_section(kind, {name: raw[name] for name in names if name in raw}, where)


def lines(results: Mapping) -> dict[Row, list[dict]]:
    """Measured seeds of each line, in the order of their seeds; lines in the order of the file."""
    groups: dict[Row, list[Row]] = {}
    for row in rows_of(results).values():
        groups.setdefault(row.line, []).append(row)
    measured = results["experiments"]
    return {
        line: [measured[row.key] for row in sorted(group, key=lambda row: row.seeds)] for line, group in groups.items()
    }


def references(every: Mapping[str, Row]) -> dict[str, dict[str, str]]:
    """What each row is measured against, of equal seeds: {key: {"baseline", "joint", "rectangles", "oracle": key}}.

    Names of rows that the study lacks are left out; all but the baseline are for grounded rows alone.
    """
    keys, found = {row: key for key, row in every.items()}, {}
    for key, row in every.items():
        others = {BASELINE: row.baseline}
        if row.is_grounded:
            others[JOINT] = row.joint
            others |= {masks: row.control(masks, every.values()) for masks in (RECTANGLES, ORACLE)}
        found[key] = {name: keys[other] for name, other in others.items() if other in keys and other != row}
    return found
