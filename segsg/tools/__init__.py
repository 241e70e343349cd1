"""Commands for other people's files: each is one file with work, page and arguments."""
