"""Scene graphs of anybody's photos: a trained model in one folder (a bundle), and the pages that show its answers."""
