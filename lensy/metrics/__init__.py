"""How good a network is: arrays in, numbers out, with the intervals that they are known to.

`ranking` needs no threshold, `operating_point` says what one does, `reconstruction` is about light.
"""
