"""How stages run: notebooks, what each runs, several at a time, on every GPU; how they end, and what they leave."""
