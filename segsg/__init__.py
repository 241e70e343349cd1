"""Segmentation-grounded scene graph generation: the study, its models and its tools (docs/architecture.md)."""
