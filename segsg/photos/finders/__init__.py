"""Who finds the regions of a photo: a detector with weights of its own, or a file of detections that a user has."""
