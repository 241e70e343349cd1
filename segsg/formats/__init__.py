"""Everybody's files of truths and predictions, read image by image, and ours written."""
