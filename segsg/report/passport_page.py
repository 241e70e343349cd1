"""passport.json as a page: data, parameters by section, seeds, versions, commit, machine and minutes."""

import json
from pathlib import Path

ROWS = ("detectors", "experiments")
"""sections of params.yaml that are tables"""
STAGES = {
    "data": "data: drawn or read, and counted",
    "detector": "detectors",
    "detection": "precision of the detectors",
    "look": "what the frozen detectors say about every image",
    "transfer": "borrowed masks against true ones",
    "scene_graph": "scene graph models",
    "evaluation": "evaluation",
}
"""in the order of the study; the rest are tables and figures"""
OTHERS = "tables and figures"


def read_passport(path: Path) -> dict:
    """ValueError if its stage has not written it."""
    if not path.is_file():
        raise ValueError(f"{path}: missing; the stage `passport` writes it: `dvc repro`")
    return json.loads(path.read_text(encoding="utf-8"))


def passport_facts(passport: dict) -> dict:
    """What the page shows of a passport, in its order."""
    parameters = passport["parameters"]
    return {
        "name": parameters["report"],
        "commit": passport["commit"],
        "machine": passport["machine"],
        "versions": passport["versions"],
        "files": passport["files"],
        "minutes": minutes(passport["stages"]),
        "stages": passport["stages"],
        "seeds": seeds(parameters),
        "settings": {name: flat(section) for name, section in parameters.items() if name not in ROWS},
        "rows": {name: parameters.get(name) or {} for name in ROWS},
    }


def minutes(stages: list[dict]) -> list[dict]:
    """{"name", "runs", "minutes", "longest"} for each kind of stage that ran, in the order of the study."""
    kinds: dict[str, list[float]] = {words: [] for words in (*STAGES.values(), OTHERS)}
    for stage in stages:
        kinds[STAGES.get(stage["stage"], OTHERS)].append(stage["seconds"] / 60)
    return [
        {"name": name, "runs": len(runs), "minutes": sum(runs), "longest": max(runs)}
        for name, runs in kinds.items()
        if runs
    ]


def seeds(parameters: dict) -> dict[str, list[int]]:
    """Every seed, by what it decides."""
    found = {"the study: the drawn world, and resampling of images": [parameters["seed"]]}
    for name in ROWS:
        found[name] = sorted({row["seed"] for row in (parameters.get(name) or {}).values() if "seed" in row})
    return found


def flat(section, prefix: str = "") -> dict[str, str]:
    """Names with dots, and values as params.yaml writes them."""
    if not isinstance(section, dict):
        return {prefix or "value": text(section)}
    found: dict[str, str] = {}
    for name, value in section.items():
        found |= flat(value, f"{prefix}.{name}" if prefix else str(name)) if value != {} else {}
    return found


def text(value) -> str:
    """A number, a truth value, a list or a name, as one writes it in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
