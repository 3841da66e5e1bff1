"""Stacks, finders and pool sizes on real engines and clouds."""
