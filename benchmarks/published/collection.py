"""Turns the hand-collected wide tables of figures into the tidy form of `results/published/`.  Torch-free.

    python -m benchmarks.published.collection SOURCE_FOLDER [RESULTS_PUBLISHED]

The product (the csv files) is what the project uses and tracks; this tool exists so that a corrected or extended
collection can be converted again in the same way. What varies between the wide tables (which columns are metrics,
what a column's name says about split or protocol) is in `METRIC_COLUMNS` and `protocol_id`; what sources disagree
about is in `benchmarks/published/footnotes.py`.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.published.figures import COLUMNS, METRICS, ROOT
from benchmarks.published.footnotes import FOOTNOTES

Row = dict[str, str]

_TASK = {
    "COCO keypoints": "pose",
    "MPII": "pose",
    "PoseTrack2017": "pose",
    "Cityscapes": "segmentation",
    "PASCAL-Context": "segmentation",
    "LIP": "segmentation",
    "300W": "landmarks",
    "AFLW": "landmarks",
    "COFW": "landmarks",
    "WFLW": "landmarks",
    "COCO detection": "detection",
    "ImageNet-1k": "classification",
}
_SAME = {name: {"metric": name} for name in METRICS}
METRIC_COLUMNS: dict[str, dict[str, str]] = {
    **_SAME,
    **{part: {"metric": f"PCKh@0.5/{part}"} for part in ("Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")},
    "Mean": {"metric": "PCKh@0.5"},
    "Mean@0.1": {"metric": "PCKh@0.1"},
    "mIoU_ms_flip": {"metric": "mIoU", "protocol": "scales=multi; flip=yes"},
    "mIoU_59": {"metric": "mIoU", "protocol+": "classes=59"},
    "mIoU_60": {"metric": "mIoU", "protocol+": "classes=60"},
    **{f"NME_{split}": {"metric": "NME", "split": split} for split in ("common", "challenge", "full", "frontal")},
    "NME_test": {"metric": "NME", "split": "test"},
    **{
        f"NME_{subset}": {"metric": "NME", "split": f"test/{subset}"}
        for subset in ("pose", "expression", "illumination", "makeup", "occlusion", "blur")
    },
    **{
        f"{kind}{limit}": {"metric": f"{kind}@{float(limit):.2f}", "split": "test"}
        for kind in ("AUC", "FR")
        for limit in ("0.08", "0.1")
    },
    "train_sec_per_iter": {"metric": "train_time"},
    "train_mem_GB": {"metric": "train_memory"},
    "mxnet_train_sec": {"metric": "train_time", "condition": "MXNet 1.5.1"},
    **{f"infer_sec_bs{n}": {"metric": "infer_time", "condition": f"batch {n}"} for n in (1, 4, 8, 16)},
    **{f"infer_mem_GB_bs{n}": {"metric": "infer_memory", "condition": f"batch {n}"} for n in (1, 4, 8, 16)},
    **{
        f"mxnet_infer_sec_bs{n}": {"metric": "infer_time", "condition": f"MXNet 1.5.1, batch {n}"}
        for n in (1, 4, 8, 16)
    },
    **{
        f"{device}_fps_bs{n}": {"metric": "speed", "condition": f"{device.upper()}, batch {n}"}
        for device in ("gpu", "cpu")
        for n in (1, 10)
    },
}
_SAID: tuple[tuple[str, str], ...] = (
    (r"LS (~?[\d.]+[xe])(?: \(README prints 1x\))?", "schedule {}"),
    (r"SyncBN Y", "SyncBN"),
    (r"SyncBN N", "no SyncBN"),
    (r"multi-scale train(?:ing)? (?:Y|Yes)(\([A-Za-z]+\))?", "multi-scale training {}"),
    (r"multi-scale train(?:ing)? (?:N|No)", "single-scale training"),
    (r"multi-scale training(?: \(caffe style\))?", "multi-scale training"),
    (r"GN head, ms train", "multi-scale training"),
    (r"GN head, no ms train", "single-scale training"),
    (r".*\((caffe style)\)", "{}"),
    (r"(\d-level pyramid)", "{}"),
    (r"OHEM Yes", "OHEM"),
    (r"OHEM No", "no OHEM"),
    (r"distillation Yes", "distilled"),
    (r"distillation No", "not distilled"),
    (r"(?:.*, )?(\d+k) iters(?:,.*)?", "{} iterations"),
    (r"(PyTorch 1\.1) \+ official SyncBN", "{}"),
    (r"(align_corners=True)", "{}"),
    (r"(PaddleClas ImageNet weights)", "{}"),
    (r"(?:learned|trained) on (train(?:\+val)?)(?: only| \(.*\))?", "trained on {}"),
    (r"(train\+val)", "trained on {}"),
    (r"train set only \(fine\)", "trained on train"),
    (r"extra data(?:.*AI Challenger\)?)", "extra data AI Challenger"),
    (r"extra data", "extra data"),
    (r"EXTRA DATA: (COCO\+AIC), with a (visibility)-prediction head", "extra data {}, {} head"),
    (r"(OHKM|ensemble|bottom-up)", "{}"),
    (r"(140 epochs)", "{}"),
    (r"with (classic|simple) decoder", "{} decoder"),
    (r"trained with extra info", "extra info"),
    (r"extra info: ([A-Z][a-z]+)", "extra info: {}"),
    (r"(coordinate regression)", "{}"),
    (r"(residual branch: .*)", "{}"),
    (r"(CosineLR \+ CutMix \+ 300 epochs|ssld).*", "{}"),
    (r"additional training data (.*)", "extra data {}"),
)
"""What a clause of a protocol text says of how the row was trained, and the words that the condition has for it."""
_CONDITION_COLUMNS = {
    "heatmap_resolution": "heat map {}",
    "stride": "stride {}",
    "lr_schedule": "schedule {}",
    "variant": "{}",
    "n_fusions": "{} exchanges",
    "final_exchange": "final={}",
    "across_stage_exchange": "across={}",
    "within_stage_exchange": "within={}",
}


def representation(text: str) -> str:
    """Harness name of a representation: "C (classification head)" -> "C"; "none" -> ""."""
    return "" if text == "none" else text.split(" ")[0]


def model_name(row: Row, task: str) -> str:
    """Name under which `tasks.build_model` builds this row's network, or "" if the harness has no such network."""
    body, method = row["backbone"].rstrip("*"), row["method"]
    text = f"{method} {body}"
    if re.search(
        r"Lite|OCR|FCOS|Cascade|CenterNet|SimCC|ViT|Paddle|UDP|_udp|caffe|W44-C.*|regression|ablation",
        text,
        re.IGNORECASE,
    ):
        w44_of_readme = body == "HRNet-W44-C" and not row["source"].startswith("arXiv") and "Paddle" not in text
        return "hrnet_w44" if w44_of_readme else ""
    if "cspnext" in row["source"] or "CVPR19 classification" in method or "2 deconv" in method:
        return ""
    if task == "detection" and "Faster" not in method and "Mask" not in method:
        return ""
    small = re.search(r"W18(?:-C)?-Small(?:-v([12]))?$", body)
    if small:
        # mmseg's unnumbered W18-Small (hr18s) has Small-v2's blocks and modules.
        return f"hrnet_w18_small_v{small[1] or (2 if method.startswith('mmseg') else 1)}"
    width = re.search(r"hrnet[^ ]*?[-_]w(\d+)(?:-C|_dark)?$", body, re.IGNORECASE)
    if width:
        return f"hrnet_w{width[1]}" if int(width[1]) in (18, 30, 32, 40, 44, 48, 64) else ""
    if task == "pose" and (method.startswith("SimpleBaseline") or "pose_resnet_" in body):
        depth = re.search(r"(50|101|152)$", body)
        return f"simple_baseline_r{depth[1]}" if depth else ""
    stacks = re.search(r"\b([128])-(?:stage|stack)|Hourglass-(8)$|\((8) blocks\)", text)
    if task == "pose" and "ourglass" in text and stacks:
        return f"hourglass_s{stacks[1] or stacks[2] or stacks[3]}"
    if task == "detection" and body == "ResNet-50-FPN":
        return "resnet50"
    return ""


def protocol_id(file: str, row: Row, metric: str) -> str:
    """The settings that a protocol text states, as `key=value; ...`: figures are comparable when these are equal."""
    text, source, benchmark = row["protocol"], row["source"], row["benchmark"]
    where = f"{text} {source}"
    if file == "ablation_speed_mmpose" and metric != "speed":
        return "boxes=detector 56.4; flip=not stated"
    if metric in ("train_time", "train_memory", "infer_time", "infer_memory"):
        return "hardware=V100 " + ("x4" if metric.startswith("train") else "x1")
    if metric == "speed":
        return "hardware=GTX 1660 SUPER, i7-8700"
    if benchmark == "COCO keypoints" and row["split"] == "test-dev2017":
        if "bottom-up" in text:
            return "boxes=none (bottom-up)"
        if "ensemble" in text:
            return "boxes=own detector; ensemble"
        if "leaderboard" in text or "single model" in text:
            return "boxes=own detector"
        decode = "; decode=dark" if "DARK" in source else ""
        return f"boxes=detector 60.9; flip=yes{decode}" if re.search("60.9|of HRNet", text) else "boxes=own detector"
    if benchmark == "COCO keypoints":
        if "README does not restate detector" in text:
            return "boxes=not stated (ground truth suspected); flip=yes"
        if "CPN" in where:
            return "boxes=CPN detector 55.3"
        decode = "quarter"
        if re.search(r"with DARK|DARK unbiased|DARK encode|hrnet_dark", where) or "DARK" in row["method"]:
            decode = "dark"
        if "DARK table baseline" in row["method"]:
            decode = "quarter"
        if "udp" in source:
            decode = "udp"
        if "post-processing none" in text:
            decode = "simcc" if "SimCC, post" in text else "argmax"
        return f"boxes=detector 56.4; flip=yes; decode={decode}"
    if benchmark == "MPII":
        if row["split"] == "test":
            return "boxes=provided; scales=multi; flip=yes"
        if "pytorch-pose" in source:
            return "boxes=gt; scales=1; flip=yes; pckh=unweighted"
        if metric == "PCKh@0.1":
            return f"boxes=gt; scales=1; flip=yes; threshold={'0.10' if 'mmpose' in source else '0.11'}"
        return f"boxes=gt; scales={'multi' if 'multi-scale' in text else '1'}; flip=yes; pckh=weighted"
    if benchmark == "PoseTrack2017":
        return "boxes=own detector; tracking"
    if benchmark == "Cityscapes":
        return "scales=multi; flip=yes" if row["split"] == "test" else "scales=1; flip=no"
    if benchmark == "PASCAL-Context":
        single = "single scale" in text
        classes = "; classes=60" if "60 classes" in text else "; classes=59" if single else ""
        return ("scales=1; flip=no" if single else "scales=multi; flip=yes") + classes
    if benchmark == "LIP":
        return "scales=1; flip=yes"
    if benchmark in ("300W", "COFW", "WFLW"):
        flip = "yes" if "flip test" in text else "not stated" if "mmpose" in source else "no"
        return f"normaliser=inter-ocular; flip={flip}"
    if benchmark == "AFLW":
        mmpose = "mmpose" in source
        return (
            f"normaliser={'gt box longer side' if mmpose else 'face box size'}; flip={'not stated' if mmpose else 'no'}"
        )
    if benchmark == "COCO detection":
        return "scales=1; flip=no"
    if benchmark == "ImageNet-1k":
        return "crop=224 centre"
    raise ValueError(f"{file}: no rule gives the protocol of benchmark {benchmark!r}; add one to protocol_id")


def said_conditions(protocol: str) -> list[str]:
    """What tells rows of one network apart and stands in the protocol text alone: schedule, SyncBN, OHEM, data, ..."""
    found: list[str] = []
    for clause in (part.strip() for part in protocol.split(";")):
        for pattern, words in _SAID:
            if match := re.fullmatch(pattern, clause):
                found.append(words.format(*(group or "" for group in match.groups())).strip())
    return list(dict.fromkeys(found))


def _sources(file: str, row: Row) -> Iterator[Row]:
    """The source row, or its two halves where one row of a paper's table speaks of two benchmarks."""
    if file != "ablation_fusion":
        yield row
        return
    halves = {
        "pose_AP": ("COCO keypoints", "val2017", "HRNetV1-W32", "V1", "256x192", "AP"),
        "seg_mIoU": ("Cityscapes", "val", "HRNetV2-W48", "V2", "1024x2048", "mIoU"),
    }
    for column, (benchmark, split, body, kind, size, metric) in halves.items():
        yield {
            **{key: value for key, value in row.items() if key not in halves},
            "benchmark": benchmark,
            "split": split,
            "backbone": body,
            "representation": kind,
            "input_size": size,
            metric: row[column],
            "column": column,
        }


def _metrics(file: str, row: Row) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """(source column, value, bound, what the column says) of every figure of a source row."""
    if "value" in row:
        yield "value", row["value"], "=", {"metric": row["metric"]}
        return
    for column, value in row.items():
        if column == "score" and value:
            yield (
                column,
                value,
                "=",
                {"metric": {"COCO keypoints": "AP", "Cityscapes": "mIoU"}.get(row["benchmark"], "box_AP")},
            )
        elif column == "mAP" and file == "ablation_speed_mmpose":
            yield column, value, "=", {"metric": "AP"}
        elif column in METRIC_COLUMNS and value:
            yield row.get("column", column), value, "=", METRIC_COLUMNS[column]
    bound = re.match(r"below (\d+)", row.get("AP_note", ""))
    if bound:
        yield "AP_note", bound[1], "<", {"metric": "AP"}


def convert(file: str, number: int, row: Row) -> Iterator[Row]:
    """Tidy records of source row `number` (1-based, the header not counted) of the wide table `file`."""
    for source in _sources(file, row):
        task = _TASK[source["benchmark"]]
        conditions = [
            pattern.format(source[column]) for column, pattern in _CONDITION_COLUMNS.items() if source.get(column)
        ]
        if row.get("gflops_read"):
            conditions.append("GFLOPs read off the figure")
        conditions += [said for said in said_conditions(source["protocol"]) if said not in conditions]
        for column, value, bound, said in _metrics(file, source):
            metric = said["metric"]
            unit, direction = METRICS[metric]
            settings = said.get("protocol") or protocol_id(file, source, metric)
            if "protocol+" in said and "classes" not in settings:
                settings += "; " + said["protocol+"]
            record = {
                "id": f"{file}:{number}",
                "benchmark": source["benchmark"],
                "split": said.get("split", source["split"]),
                "task": task,
                "method": source["method"],
                "body": source["backbone"],
                "model": model_name(source, task),
                "representation": representation(source["representation"]),
                "pretrained": source["pretrained"],
                "input_size": source["input_size"],
                "params_m": source["params_m"],
                "gflops": source["gflops"] or row.get("gflops_read", ""),
                "condition": ", ".join([*conditions, *([said["condition"]] if "condition" in said else [])]),
                "metric": metric,
                "bound": bound,
                "value": value,
                "unit": unit,
                "direction": direction,
                "protocol_id": settings,
                "protocol": source["protocol"],
                "column": column,
                "source": source["source"],
                "confidence": source["confidence"],
            }
            record["footnotes"] = ";".join(note.id for note in FOOTNOTES if note.matches(record))
            yield record


def write(source: Path, target: Path = ROOT) -> dict[str, int]:
    """Converts every wide table below `source`; returns figures written per file. `models.csv` is taken as it is."""
    target.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for path in sorted(source.glob("*.csv")):
        if path.name == "models.csv":
            shutil.copyfile(path, target / path.name)
            continue
        with path.open(newline="", encoding="utf-8") as handle:
            records = [
                record
                for number, row in enumerate(csv.DictReader(handle), 1)
                for record in convert(path.stem, number, row)
            ]
        with (target / path.name).open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)
        counts[path.stem] = len(records)
    with (target / "footnotes.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, ("id", "text"), lineterminator="\n")
        writer.writeheader()
        writer.writerows({"id": note.id, "text": note.text} for note in FOOTNOTES)
    return counts


def main(arguments: list[str]) -> int:
    """Command line of the conversion; returns the exit status."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m benchmarks.published.collection SOURCE_FOLDER [RESULTS_PUBLISHED]", file=sys.stderr)
        return 2
    counts = write(Path(arguments[0]), Path(arguments[1]) if len(arguments) == 2 else ROOT)
    for name, count in counts.items():
        print(f"{count:6d} figures  {name}")
    print(f"{sum(counts.values()):6d} figures in all")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
