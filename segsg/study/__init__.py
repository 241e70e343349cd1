"""The study: what its numbers mean, its rows and facts, and from these to data, networks and measurements."""
