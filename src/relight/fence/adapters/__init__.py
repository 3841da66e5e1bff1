"""What speaks to the witness's store and to observers."""
