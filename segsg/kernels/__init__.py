"""Pure functions of boxes, masks, feature maps and trees; each has a slow twin in the tests."""
