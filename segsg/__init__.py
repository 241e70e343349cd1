"""Segmentation-grounded scene graph generation: the study, its models and its tools (docs/architecture.md)."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version(__name__)
except PackageNotFoundError:  # a folder that was copied and not installed
    __version__ = "unknown"
