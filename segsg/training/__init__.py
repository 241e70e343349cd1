"""One loop that trains any model and resumes exactly, and what a training leaves."""
