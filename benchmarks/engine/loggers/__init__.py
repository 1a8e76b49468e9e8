"""Where curves and figures go beside the results: TensorBoard, W&B, MLflow, Aim, through mmengine's backends."""

from benchmarks.engine.loggers.open import Loggers, open_loggers

__all__ = ["Loggers", "open_loggers"]
