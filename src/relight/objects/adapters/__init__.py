"""What speaks to real stores, and the fake."""
