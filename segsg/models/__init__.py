"""Scene graph models on a frozen detector: what they share, and one file for each context model."""
