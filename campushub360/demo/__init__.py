"""A believable university, made up by a seed: the same seed, scale and day give the same rows."""
