"""Parameters and multiply-adds of the models, true and as the papers count them."""

from __future__ import annotations

import argparse
from pathlib import Path

from tasks import get_task, task_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: every model")
    parser.add_argument("--task", help="only this task")
    parser.add_argument("--dataset", help="only this dataset")
    parser.add_argument("--size", metavar="HxW", help="input size (default: the dataset's usual one)")
    parser.add_argument("--layers", action="store_true", help="multiply-adds layer by layer")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there as well")


def main(arguments: argparse.Namespace) -> int:
    import torch

    from benchmarks.baselines import body_names, check_body_name
    from hrnet.profile import profile

    for name in arguments.models:
        if not any(_accepts(task, name) for task in task_names()):
            check_body_name(name)
    if arguments.task:
        get_task(arguments.task)
    rows = []
    columns = ("task", "dataset", "model", "repr.", "input", "params (M)", "MACs (1e9)", "as published (2^30)")
    print("{:15} {:15} {:22} {:6} {:>10} {:>11} {:>11} {:>20}".format(*columns))
    for task_name in [arguments.task] if arguments.task else task_names():
        task = get_task(task_name)
        for dataset in [arguments.dataset] if arguments.dataset else task.datasets:
            info = task.dataset(dataset)
            size = tuple(map(int, arguments.size.lower().split("x"))) if arguments.size else info.profile_hw
            for model in arguments.models or task.model_names(body_names()):
                if not _accepts(task_name, model):
                    continue
                with torch.device("meta"):
                    network = task.build_model(model, dataset)
                cost = profile(network, (size[0], size[1]))
                kind = task.default_representation(model, dataset)
                rows.append(
                    (
                        task_name,
                        dataset,
                        model,
                        kind,
                        f"{size[0]}x{size[1]}",
                        cost.params,
                        cost.macs,
                        cost.macs_as_published,
                    )
                )
                print(
                    f"{task_name:15} {dataset:15} {model:22} {kind:6} {rows[-1][4]:>10} {cost.params / 1e6:11.3f} "
                    f"{cost.macs / 1e9:11.3f} {cost.macs_as_published:20.3f}",
                    flush=True,
                )
                if arguments.layers:
                    for layer in cost.layers:
                        print(f"    {layer.name:60} {layer.kind:16} {layer.macs / 1e6:12.3f} M")
    if arguments.csv:
        import csv

        with arguments.csv.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(
                ("task", "dataset", "model", "representation", "input_hw", "params", "macs", "macs_as_published")
            )
            writer.writerows(rows)
    return 0


def _accepts(task_name: str, model: str) -> bool:
    try:
        get_task(task_name).check_model(model)
    except ValueError:
        return False
    return True
