"""Where a study was run: commit, packages, machine. Nothing that names a person, a folder or a host."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "torch", "torchvision", "lightning-fabric", "jaxtyping", "safetensors", "numpy", "scipy", "h5py", "pillow",
    "pycocotools", "pandas", "scikit-learn", "matplotlib", "contourpy", "jinja2", "pyyaml", "dvc", "papermill",
    "ipykernel", "tqdm",
)  # fmt: skip
"""what pyproject.toml asks for; a copy of the sources has no pyproject.toml"""
SOURCES = ("segsg", "notebooks", "profiles", "params.yaml", "dvc.yaml", "data/facts")
"""what decides numbers; the study itself changes reports and dvc.lock"""


def commit(root: Path) -> dict | None:
    """{"id", "changed"}: the commit that is checked out in `root`, and how many sources differ from it.

    None outside of a checkout, a copy within another project's included.
    """
    if not (root / ".git").exists():
        return None
    head, changed = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--", *SOURCES)
    return None if head is None or changed is None else {"id": head.strip(), "changed": len(changed.splitlines())}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def versions() -> dict[str, str]:
    """Python and the packages that the project asks for, without those that are not installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict:
    """{"system", "processor", "cores", "memory", "gpus", "threads"}; memory in GB, null where it is not known."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": _memory(),
        "gpus": _gpus(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines() if listed.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory() -> int | None:
    if sys.platform == "win32" or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _gpus() -> list[str]:
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return []
    return listed.stdout.splitlines() if listed.returncode == 0 else []
