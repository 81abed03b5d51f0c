"""Examples on disk and in batches for a network.

`store` makes and reads a data set, `frames` and `instances` hand it to torch, and `coco` exports it
for other tools.
"""
