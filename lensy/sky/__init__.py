"""What is out there before any telescope looks: galaxies, their light, colours and masses.

`scene.Scene` is one such piece of sky, and `populations` draws as many of them as are wanted.
"""
