"""What the talk said, in numbers, curves and words, and ours beside it: `scorecard` and `claims`.

What else is here is for the chapters alone: their charts, figures and notebooks.
"""
