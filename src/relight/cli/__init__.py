"""The command: parses, asks, shows; whatever it does is done by `relight.control` and the engine.

Nothing is imported here, and `main` loads the module of a command only when that command is called, so that
`relight --help` answers at once and `relight resume` goes on at once.
"""
