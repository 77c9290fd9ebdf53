"""Helpers of the book *Expression ML*: a base and four wings.

``data`` brings expression matrices in, ``models`` holds the estimators, ``evaluation`` splits, removes
signal, scores and compares, ``book`` is what notebooks call to write, draw and judge. ``base`` lies below.
What makes a site of the notebooks, and the ``exprml`` command, is the package ``exprml_press``.
"""

__version__ = "0.1.0"
