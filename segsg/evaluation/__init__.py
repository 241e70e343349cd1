"""The metrics: recall and its family with intervals, average precision, and the overlap of masks."""
