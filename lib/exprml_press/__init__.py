"""The press and the door: what turns notebooks into a site, and the ``exprml`` command; not for notebooks."""
