"""The demonstration: the main job on a generated Nordic register."""
