"""How stages run: notebooks, what each runs, several at a time, on every GPU, and what a report was made from."""
