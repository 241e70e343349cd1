"""Tables, charts, findings and pages of a study, all computed from its results.json and the paper's values."""
