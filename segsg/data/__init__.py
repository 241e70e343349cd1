"""Readers of data sets: photos, scene graphs, masks, words; views of them, counts over them, and batches."""
