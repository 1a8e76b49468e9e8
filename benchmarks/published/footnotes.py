"""What the sources of the published figures disagree about, as footnotes with the figures that they concern.

Each note is a text and a rule: field -> regular expression that must be found in that field of a figure. The rules run
when `benchmarks/published/collection.py` converts the collection; the tidy files carry the resulting ids.  Torch-free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A footnote and the rule that says which figures carry it."""

    id: str
    text: str
    rule: tuple[tuple[str, str], ...]

    def matches(self, record: dict[str, str]) -> bool:
        """True if every pattern of the rule is found in its field of the record."""
        return all(re.search(pattern, record[name]) for name, pattern in self.rule)


def _note(id: str, text: str, **rule: str) -> Note:
    return Note(id, text, tuple(rule.items()))


_RESNET50 = r"ResNet-50$|pose_resnet_50$"
_R152 = r"ResNet-152$|pose_resnet_152$"
_W32 = r"W32$|hrnet_w32$"
_W48 = r"W48$"
_VAL = "^val2017$"

FOOTNOTES: tuple[Note, ...] = (
    # pose
    _note(
        "size-128-r50",
        "SimpleBaseline R-50 at 128x96: 59.2 (CVPR19 Fig. 6), 59.3 (DARK), 60.6 (SimpleBaseline Table 2 g).",
        benchmark="^COCO keypoints$",
        method="SimpleBaseline",
        body=_RESNET50,
        input_size="^128x96$",
        metric="^AP$",
        protocol_id="quarter",
    ),
    _note(
        "size-128-w32",
        "HRNet-W32 at 128x96: 65.5 (CVPR19 Fig. 6), 66.9 (DARK). The stated gap of 6.3 to SimpleBaseline "
        "fits 65.5 - 59.2.",
        benchmark="^COCO keypoints$",
        body=_W32,
        input_size="^128x96$",
        metric="^AP$",
        protocol_id="quarter",
    ),
    _note(
        "r152-384-apl",
        "SimpleBaseline R-152 384x288 val APL: 79.7 in the HRNet papers (probably a slip: it equals AR), "
        "81.6 in both READMEs.",
        benchmark="^COCO keypoints$",
        split=_VAL,
        body=_R152,
        input_size="^384x288$",
        metric="^APL$",
    ),
    _note(
        "w32-384",
        "HRNet-W32 384x288 val AP75/APM/APL/AR: 82.7/71.9/82.8/81.0 in the papers, 82.5/72.0/82.7/80.9 in "
        "the README and DARK.",
        benchmark="^COCO keypoints$",
        split=_VAL,
        body=_W32,
        input_size="^384x288$",
        metric="^(AP75|APM|APL|AR)$",
        protocol_id="quarter",
    ),
    _note(
        "r152-testdev",
        "SimpleBaseline R-152 test-dev AP75/APM: the README's 82.8/71.3 equal the paper's HRNet-W32 row; the "
        "papers print 81.1/70.3.",
        benchmark="^COCO keypoints$",
        split="test-dev",
        body=_R152,
        metric="^(AP75|APM)$",
        method="^SimpleBaseline$",
    ),
    _note(
        "caffe-boxes",
        "The README does not restate the detector for this table; the AP50/AR pattern suggests ground-truth boxes.",
        protocol_id="ground truth suspected",
    ),
    _note(
        "mmpose-w32",
        "mmpose HRNet-W32 256x192: 74.9 (zoo, 1.x), 74.6 (0.x speed table); the paper prints 74.4.",
        benchmark="^COCO keypoints$",
        source="mmpose",
        body=_W32,
        input_size="^256x192$",
        metric="^AP$",
        protocol_id="quarter|not stated",
    ),
    _note(
        "hourglass-52",
        "mmpose's Hourglass-52 is one wide CornerNet-style stack (94.85 M), not Newell's eight stacks.",
        body="[Hh]ourglass[-_]52$",
        task="^pose$",
    ),
    _note(
        "hourglass-flops",
        "8-stage Hourglass: the HRNet papers print 14.3 G at 256x192 and 19.1 G at 256x256, CPN 19.5 and 25.9; "
        "a re-count of pytorch-pose gives 19.6 and 26.2 (2^30). Parameters: 25.1 M published, 25.6 M counted.",
        method="Hourglass",
        body="8|^Hourglass$",
        task="^pose$",
        gflops=".",
    ),
    _note(
        "deconv-flops",
        "The official counter charges transposed convolutions at their output size, four times their cost at stride 2: "
        "SimpleBaseline R-50/101/152 at 256x192 is printed 8.9/12.4/15.7 G and truly 5.43/9.06/12.70 G (10^9).",
        method="^SimpleBaseline",
        gflops=".",
    ),
    _note(
        "r152-384-flops",
        "SimpleBaseline R-152 at 384x288: 35.3 G (README), 35.6 G (both HRNet papers), 35.47 G counted.",
        method="^SimpleBaseline",
        body=_R152,
        input_size="^384x288$",
        gflops=".",
    ),
    _note(
        "mmlab-flops",
        "The FLOPs of mmpose and mmpretrain are 10^9 multiply-adds and include other operations; the "
        "official figures are divided by 2^30.",
        source="mmpose|mmpretrain",
        gflops=".",
    ),
    _note(
        "mpii-r152-elbow",
        "SimpleBaseline R-152 MPII val elbow: 90.0 (README), 90.3 (HRNet arXiv Table 7).",
        benchmark="^MPII$",
        split="^val$",
        body=_R152,
        input_size="^256x256$",
        metric="Elbow$",
        protocol_id="scales=1",
        source="README|Table 7",
        method="^SimpleBaseline",
    ),
    _note(
        "mpii-w32-wrist",
        "HRNet-W32 MPII val wrist: 86.4 (README, paper), 86.5 (DARK).",
        benchmark="^MPII$",
        split="^val$",
        body=_W32,
        metric="Wrist$",
        protocol_id="scales=1",
        method="^HRNet( \\(DARK re-run\\))?$",
    ),
    _note(
        "mpii-w32-mean",
        "HRNet-W32 MPII val mean: 90.3 (README), 90.0 (mmpose).",
        benchmark="^MPII$",
        split="^val$",
        model="^hrnet_w32$",
        metric="^PCKh@0.5$",
        protocol_id="scales=1",
        body="^(HRNet-W32|pose_hrnet_w32)$",
        method="^HRNet( \\(DARK re-run\\))?$|^mmpose",
    ),
    _note(
        "mean-at-0.1",
        'The "Mean@0.1" of the HRNet and SimpleBaseline evaluators is read at threshold 0.11; mmpose reads '
        "0.10. Never compare the two.",
        metric="^PCKh@0.1$",
    ),
    _note(
        "mmpose-label",
        "The mmpose page of this row labels a CSPNeXt model pose_hrnet_w32.",
        source="cspnext_udp_mpii",
    ),
    _note(
        "posetrack-r152",
        "SimpleBaseline R-152 PoseTrack test mAP/MOTA: 73.9/57.6 trained on train, 74.6/57.8 on train+val "
        "(the one HRNet compares with).",
        benchmark="^PoseTrack2017$",
        split="^test$",
        body=_R152,
        metric="^(mAP|MOTA)$",
    ),
    _note(
        "below-ten",
        "The text says only that the figure is below 10.",
        bound="<",
    ),
    # segmentation
    _note(
        "cityscapes-val-w48",
        "HRNetV2-W48 Cityscapes val: 81.1 (papers, pytorch-v1.1), 80.9 and 81.2 with OHEM (master), 80.9 (OCR branch).",
        benchmark="^Cityscapes$",
        split="^val$",
        method="^HRNetV2$",
        body=_W48,
        metric="^mIoU$",
    ),
    _note(
        "cityscapes-test-w48",
        "HRNetV2-W48 Cityscapes test: 80.4 train, 81.6 train+val (papers); 80.5, 81.5, with OHEM 81.1, 81.9 (README).",
        benchmark="^Cityscapes$",
        split="^test$",
        method="^HRNetV2$",
        body=_W48,
        metric="^mIoU$",
    ),
    _note(
        "cityscapes-test-ocr",
        "HRNetV2-W48 + OCR Cityscapes test: 82.5 (TPAMI), 82.3 (README).",
        benchmark="^Cityscapes$",
        split="^test$",
        method="OCR",
        body=_W48,
        metric="^mIoU$",
    ),
    _note(
        "seg-w48-flops",
        "HRNetV2-W48 at 1024x2048: 747.3 (1904.04514) and 696.2 (TPAMI, README) are one count in 10^9 and 2^30. "
        "Parameters 65.9 M (papers), 65.8 M (README), 65.86 counted.",
        benchmark="^Cityscapes$",
        body="^HRNetV2-W48$",
        method="^HRNetV2$",
        gflops=".",
    ),
    _note(
        "seg-w40-flops",
        "HRNetV2-W40: 45.2 M / 493.2 published, 45.9 M / 498.7 counted with the repository's head.",
        benchmark="^Cityscapes$",
        body="^HRNetV2-W40$",
        gflops=".",
    ),
    _note(
        "pascal-w48",
        "HRNetV2-W48 PASCAL-Context, 59 classes: 54.0 (paper), 54.1 (README).",
        benchmark="^PASCAL-Context$",
        method="^HRNetV2$|^HRNet$",
        body="W48$",
        metric="^mIoU$",
        protocol_id="classes=59",
        representation="^V2$",
    ),
    _note(
        "pascal-fig10",
        "The caption says single scale without flip, yet the W48 V2 point equals the multi-scale 54.0 of "
        "Table 5; class count not stated.",
        benchmark="^PASCAL-Context$",
        source=r"Fig\. 10",
    ),
    _note(
        "lip-w48",
        "HRNetV2-W48 LIP mIoU: 55.90 (paper), 56.04 (master), 55.8 (v1.1), 55.83 (OCR branch).",
        benchmark="^LIP$",
        method="^HRNetV2$",
        metric="^mIoU$",
    ),
    _note(
        "mmseg-v2p",
        "mmsegmentation labels the backbone HRNetV2p; the head is V2's concatenation.",
        source="mmsegmentation configs/(hrnet|ocrnet)",
        body="V2p",
    ),
    _note(
        "time-slip",
        "Printed 0.05421 s at batch 4, evidently 0.5421; kept as printed.",
        column="^infer_sec_bs4$",
        value=r"^0\.05421$",
    ),
    # landmarks
    _note(
        "face-300w",
        "300W common/challenging/full: 2.87/5.15/3.32 (papers), 2.91/5.11/3.34 (README), 2.92/5.64/3.45 (mmpose).",
        benchmark="^300W$",
        body="^HRNetV2-W18$",
        split="^(common|challenge|full)$",
    ),
    _note(
        "face-wflw",
        "WFLW: 4.60 on the whole test set in paper and README; the subsets differ (pose 7.94 or 7.86, "
        "expression 4.85 or 4.78); mmpose 4.06.",
        benchmark="^WFLW$",
        body="^HRNetV2-W18$",
    ),
    _note(
        "face-cofw-fr",
        "COFW failure rate at 0.1: 0.19 (papers), 0.20 (README).",
        benchmark="^COFW$",
        body="^HRNetV2-W18$",
        metric="^FR",
    ),
    _note(
        "face-aflw",
        "AFLW: 1.57 (papers) and 1.41 (mmpose) use other normalisers (annotated box size; longer side of the "
        "ground-truth box).",
        benchmark="^AFLW$",
        body="^HRNetV2-W18$",
    ),
    _note(
        "face-params",
        "HRNetV2-W18 face: 9.3 M published, 9.64 to 9.66 M counted; 4.3 G agrees.",
        task="^landmarks$",
        body="^HRNetV2-W18$",
        params_m="9.3",
    ),
    # classification
    _note(
        "imagenet-c",
        "ImageNet errors of W18/W30/W40-C: 23.1/6.5, 21.9/5.9, 21.1/5.6 (paper), 23.2/6.6, 21.8/5.8, "
        "21.1/5.5 (README).",
        benchmark="^ImageNet-1k$",
        body="^HRNet-W(18|30|40)-C$",
        source="TPAMI|Image-Classification README$",
        protocol="(100 epochs|released weights)",
    ),
    _note(
        "w44",
        "HRNet-W44-C names two networks: TPAMI Table 15's bottleneck net (21.9 M, 3.90 G) and the README's "
        "basic-block net (67.1 M, 13.9 G).",
        benchmark="^ImageNet-1k$",
        body="W44-C$",
    ),
    _note(
        "cii-head",
        "The appendix of the CVPR paper uses the older head later called Cii; the README's W32-C and W48-C use head C.",
        benchmark="^ImageNet-1k$",
        source="CVPR19",
    ),
    _note(
        "paddle-flops",
        "PaddleClas prints twice the multiply-adds, except for W18: the column is inconsistent and left out.",
        source="^PaddleClas",
    ),
    # detection
    _note(
        "det-faster",
        "Faster R-CNN W18/W32/W40/W48, 1x to 2x: paper 36.2-38.0 / 39.6-40.9 / 40.4-41.6 / 41.3-41.8; "
        "HRNet-Object-Detection 36.1-38.1 / "
        "39.5-40.8 / 40.4-41.4 / 40.9-41.5; mmdetection v2 36.9-38.9 / 40.2-41.4 / 41.2-42.1.",
        benchmark="^COCO detection$",
        split="val",
        method="^Faster R-CNN$",
        body="^HRNetV2p",
        metric="^box_AP$",
    ),
    _note(
        "det-mask",
        "Mask R-CNN, TPAMI Table 10 and 25: box W18 1x 37.1 or 37.3, W32 1x 40.9 or 40.7; mask W18 2x 35.3 or 35.7; "
        "the mask APS/APM/APL columns differ more.",
        benchmark="^COCO detection$",
        method="^Mask R-CNN$",
        body="^HRNetV2p-W(18|32)$",
        source="TPAMI",
    ),
    _note(
        "det-fcos",
        "FCOS R-101 2x: 41.4 (Table 9, multi-scale training by its README), 39.1 (Table 25), 39.2 "
        "(test-dev); W32: 41.9, 40.3, 40.5. "
        "Table 9 does not say that R-50 and W18 were trained at one scale, R-101 and W32 at several.",
        benchmark="^COCO detection$",
        method="^FCOS$",
        body="ResNet-101|W32",
        protocol="LS 2x",
        metric="^box_AP$",
    ),
    _note(
        "det-fcos-1x",
        "FCOS W18/W32 1x: 35.2/37.7 (HRNet-Object-Detection), 35.2/38.2 (Table 25), 35.3/39.5 (mmdetection v2).",
        benchmark="^COCO detection$",
        method="^FCOS$",
        body="^HRNetV2p-W(18|32)$",
        protocol="LS 1x",
        metric="^box_AP$",
    ),
    _note(
        "det-swapped",
        "The README prints mask and box columns of this row swapped; corrected here.",
        protocol="columns swapped",
    ),
    _note(
        "det-1x-slip",
        'The README prints "1x" for this 2x row.',
        protocol="README prints 1x",
    ),
    _note(
        "det-w40-label",
        "mmdetection labels this W40 row W48; its configuration and weights are W40's.",
        protocol="weights are w40",
    ),
    _note(
        "det-flops",
        "Detection FLOPs are captioned 800x1200 and 512 proposals (CenterNet 511x511); the unit is not "
        "stated, 2^30 fits within 1.5 %.",
        benchmark="^COCO detection$",
        source="TPAMI",
        gflops=".",
    ),
)
