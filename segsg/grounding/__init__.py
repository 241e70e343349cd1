"""The paper's idea and nothing else: transfer of masks, nodes and edges that see them, refinement (eq. 3 to 9)."""
