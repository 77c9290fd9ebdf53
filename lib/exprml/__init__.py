"""Helpers of the book *Expression ML*: a base, four wings and a door.

``data`` brings expression matrices in, ``models`` holds the estimators, ``evaluation`` splits, removes
signal, scores and compares, ``book`` turns a notebook into a page, ``cli`` is the door. ``base`` lies below.
"""

__version__ = "0.1.0"
