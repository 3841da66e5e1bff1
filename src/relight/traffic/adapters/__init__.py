"""What speaks to real name servers."""
