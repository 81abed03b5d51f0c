"""What a result is and where it lies: `experiment` says what is to be found out, `run` is a folder.

`library` finds finished runs, or has them made; weights and columns of numbers have a file each.
"""
