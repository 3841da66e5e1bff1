"""Measurements: `make bench` prints figures and ratios, side by side with a peer where there is one."""
