"""How long a plan will take, before it runs: the engine's own decisions on a virtual clock."""

from relight.forecast.simulate import Forecast, forecast

__all__ = ["Forecast", "forecast"]
