"""The drawn world: two made-up data sets in the real file formats, frozen, and how hard they are."""
