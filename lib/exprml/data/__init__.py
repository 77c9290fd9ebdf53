"""The data wing: which data sets exist, how their files are read, and how numbers are prepared.

Import what you need: ``exprml.data.catalogue``, ``formats``, ``preprocess``, ``simulate``.
"""
