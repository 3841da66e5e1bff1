"""What several tests stand on: kinds of steps for the engine, contexts, real servers."""
