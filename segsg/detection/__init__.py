"""Stage 1's detector for two data sets, and what it says about images, stored."""
