"""What `relight init` copies into a project: the runbooks at the top of the repository, linked in here."""
