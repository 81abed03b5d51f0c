"""The recipes of our data sets: which population, how many examples, which seed.

`python -m data_sim NAME OUT` makes one.
"""

from data_sim.recipes import RECIPES, recipe

__all__ = ["RECIPES", "recipe"]
