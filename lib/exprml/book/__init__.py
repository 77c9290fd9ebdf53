"""Wing book."""
