"""The one error of the readers."""

from pathlib import Path


class DataError(ValueError):
    """A data file breaks a rule. One line: where, which item, the rule it breaks, and the way out."""

    def __init__(self, path: Path | str, item: str, rule: str, way_out: str):
        super().__init__(f"{path}: {item}: {rule}; {way_out}")
        self.path = Path(path)
