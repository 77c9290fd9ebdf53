"""Models as scikit-learn estimators: networks and their one training loop, linear models, presets."""
