"""Questions to a finished network, each in a file of its own; `exam` holds what all of them share.

Any network can be asked: that of a run, or whatever a `Scorer` takes.
"""
