"""Weights of five tasks on an array, a folder and a video: drawn and saved."""

import json
from pathlib import Path

import cv2

import tasks

for name in ("pose", "landmarks", "segmentation", "detection", "classification"):
    detector = "weights/detection.pt" if name == "pose" else None
    predictor = tasks.load_predictor(f"weights/{name}.pt", detector=detector)
    picture = cv2.imread("photos/a.png")[..., ::-1]
    results = [predictor(picture), *predictor("photos"), *predictor("clip.mp4")]
    for number, result in enumerate(results):
        cv2.imwrite(f"drawn/{name}_{number}.png", result.draw()[..., ::-1])
    Path(f"drawn/{name}.json").write_text(json.dumps([result.to_coco() for result in results]), "utf-8")
