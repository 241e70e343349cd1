"""The smoke profile from nothing to its report, in a temporary copy."""

import tempfile
import time
from pathlib import Path

from segsg.pipeline import workspace

PROFILE = "smoke"


def smoke(jobs: int) -> int:
    """Run every stage of the smoke profile; the exit code is 0 if its report was written."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="segsg-smoke-") as folder:
        copy = workspace.create(Path(folder) / "project")
        code = workspace.segsg(copy, "profile", "use", PROFILE) or workspace.segsg(copy, "repro", "--jobs", str(jobs))
        written = (copy / "reports" / PROFILE / "html" / "index.html").is_file()
    print(f"smoke: {'failed' if code or not written else 'every stage ran'} in {time.monotonic() - began:.0f} s")
    return code or int(not written)
