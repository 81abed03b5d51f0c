"""The sky through the telescope, and the answers: noiseless layers, labels, masks, catalogue rows.

`example.observe` makes a picture of any scene, and `example.simulate` example number i of the data
set that a `recipe.Recipe` stands for.
"""
