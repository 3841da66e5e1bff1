"""What speaks to real schedulers."""
