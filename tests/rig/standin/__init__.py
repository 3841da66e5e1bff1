"""A stand-in cloud for the real engine: a provider that keeps everything in one JSON file."""
