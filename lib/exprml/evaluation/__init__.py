"""Splits that keep groups apart, removal of linear signal, scores, and honest comparisons."""
