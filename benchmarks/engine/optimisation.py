"""A recipe's optimiser, precision and learning rates as mmengine's parts."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper, ConstantLR, CosineAnnealingLR, LinearLR, MultiStepLR, OptimWrapper, PolyLR
from torch import nn

from tasks.recipe import Recipe


class _Unread:
    """Clips gradients and leaves their norm where it is: mmengine's wrappers read it at every step, and an accelerator waits."""

    def _clip_grad(self: Any) -> None:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        if parameters:
            self.clip_func(parameters, **self.clip_grad_kwargs)


class _Wrapper(_Unread, OptimWrapper):
    pass


class _ScaledWrapper(_Unread, AmpOptimWrapper):
    def optim_context(self, model: nn.Module) -> Any:
        """Without mmengine's own autocast: the network's calls are reduced (`tasks.precision`), losses stay in float32."""
        return OptimWrapper.optim_context(self, model)


def optimizer_of(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Parameter groups: the head (with its own factor), and the rest; frozen parameters are left out.

    ``recipe.extra`` may give biases of convolutions and linear layers a group of their own: ``bias_lr_factor``,
    ``bias_weight_decay``; or, for a body that counts its layers, ``layer_decay``: each layer learns at this share of the next
    one's rate, the last and the head at the full rate.
    """
    named = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    groups: list[dict[str, Any]]
    if "layer_decay" in recipe.extra:
        groups = _by_layers(network, named, recipe)
    elif "bias_lr_factor" in recipe.extra or "bias_weight_decay" in recipe.extra:
        groups = _with_biases(network, named, recipe)
    elif recipe.head_lr_factor == 1.0:
        groups = [{"params": [p for _, p in named]}]
    else:
        body = [p for n, p in named if n.startswith("body.")]
        head = [p for n, p in named if not n.startswith("body.")]
        groups = [{"params": body}, {"params": head, "lr": recipe.lr * recipe.head_lr_factor}]
    common: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=recipe.momentum, nesterov=recipe.nesterov, **common)
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, momentum=recipe.momentum, **common)
    result: torch.optim.Optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer](
        groups, fused=True, **common
    )
    return result


def _by_layers(network: nn.Module, named: list[tuple[str, nn.Parameter]], recipe: Recipe) -> list[dict[str, Any]]:
    """A group per layer and kind: no weight decay of vectors (biases, normalisations) and position embeddings.

    Raises:
        ValueError: the body does not count its layers.
    """
    body: Any = network.body
    if not hasattr(body, "layer_of"):
        raise ValueError(
            f"Expected a body that counts its layers (ViTPose) for recipe.extra layer_decay, got {type(body).__name__}; "
            "leave it out"
        )
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in named:
        own = name.removeprefix("body.")
        layer = body.layer_of(own) if own != name else body.num_layers - 1
        decays = parameter.ndim > 1 and not own.endswith("pos_embed")
        groups.setdefault((layer, decays), []).append(parameter)
    rate = float(recipe.extra["layer_decay"])
    return [
        {
            "params": parameters,
            "lr": recipe.lr * rate ** (body.num_layers - 1 - layer),
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (layer, decays), parameters in groups.items()
    ]


def _with_biases(network: nn.Module, named: list[tuple[str, nn.Parameter]], recipe: Recipe) -> list[dict[str, Any]]:
    """Everything else, and the biases of layers other than normalisations."""
    norms = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    kinds = {f"{name}.bias": not isinstance(module, norms) for name, module in network.named_modules()}
    biases = [p for n, p in named if kinds.get(n, False)]
    return [
        {"params": [p for n, p in named if not kinds.get(n, False)]},
        {
            "params": biases,
            "lr": recipe.lr * float(recipe.extra.get("bias_lr_factor", 1.0)),
            "weight_decay": float(recipe.extra.get("bias_weight_decay", recipe.weight_decay)),
        },
    ]


def wrapper_of(optimizer: torch.optim.Optimizer, recipe: Recipe) -> OptimWrapper:
    """mmengine's wrapper with the recipe's clipping and precision.

    Raises:
        ValueError: fp16 without an accelerator, whose small gradients need a scaler.
    """
    clip = None if recipe.clip_grad_norm is None else {"max_norm": recipe.clip_grad_norm}
    if recipe.precision != "fp16":
        return _Wrapper(optimizer, clip_grad=clip)  # bf16 has the range of float32: no scaler
    if not torch.cuda.is_available():
        raise ValueError("Expected a GPU to train in fp16, found none. Use bf16 or fp32.")
    return _ScaledWrapper(optimizer=optimizer, dtype="float16", clip_grad=clip)


def schedulers_of(wrapper: OptimWrapper, recipe: Recipe, per_epoch: int) -> list[Any]:
    """Warm-up, where there is one, and the recipe's schedule, ``per_epoch`` iterations an epoch.

    Warm-up reaches the full rate after ``warmup_iterations`` steps: mmengine's ramp ends one step before its ``end``. "poly" lags
    one iteration (``extra["poly_lag"]``, 0 for none), as the reference does, which sets the rate after step i from i: step 1 has
    the rate of step 0 again.
    """
    total = recipe.epochs * per_epoch
    warm = min(recipe.warmup_iterations, total - 1)
    made: list[Any] = []
    if recipe.schedule == "step":
        made.append(MultiStepLR(wrapper, milestones=list(recipe.milestones), gamma=recipe.gamma, by_epoch=True))
    elif recipe.schedule == "poly":
        lag = int(recipe.extra.get("poly_lag", 1))
        span: dict[str, Any] = {"begin": lag, "end": lag + total + 1, "by_epoch": False}
        made.append(PolyLR(wrapper, power=recipe.power, eta_min=recipe.lr_min, **span))
    elif recipe.schedule == "cosine":
        made.append(
            CosineAnnealingLR(
                wrapper, T_max=max(1, total - warm), begin=warm, end=total, eta_min=recipe.lr_min, by_epoch=False
            )
        )
    else:
        made.append(ConstantLR(wrapper, factor=1.0, by_epoch=True))
    if warm:
        constant = recipe.extra.get("warmup") == "constant"
        # LinearLR ends on the full rate, so a constant factor must be taken back at the end.
        kind = ConstantLR if constant else LinearLR
        options = {"factor": recipe.warmup_factor} if constant else {"start_factor": recipe.warmup_factor}
        made.insert(0, kind(wrapper, begin=0, end=warm + 1, by_epoch=False, **options))
    return made
