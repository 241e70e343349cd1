"""Names and shapes of the tensors of two published Mask R-CNNs with ResNeXt-101 32x8d and a feature pyramid.

They are made from the numbers of blocks, as both projects' configurations have them. detectron2's are those of
mask_rcnn_X_101_32x8d_FPN_3x: 562 tensors.
"""

BLOCKS = (3, 4, 23, 3)
NORM = ("weight", "bias", "running_mean", "running_var")
Shapes = dict[str, tuple[int, ...]]


def layer(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def norm(name: str, channels: int) -> Shapes:
    return {f"{name}.{part}": (channels,) for part in NORM}


def body(stem: str, stage: str, block: dict[str, str]) -> Shapes:
    """`stem` and `stage` ({i} counts from 0) are prefixes; `block` names the norms and shortcuts of a block."""
    shapes: Shapes = {f"{stem}.conv1.weight": (64, 3, 7, 7), **norm(f"{stem}.{block['norm'].format(k=1)}", 64)}
    before = 64
    for i, blocks in enumerate(BLOCKS):
        width = 256 * 2**i
        for j in range(blocks):
            at = f"{stage[i]}.{j}"
            inside = before if j == 0 else width
            sizes = ((width, inside, 1, 1), (width, 8 * 2**i, 3, 3), (width, width, 1, 1))
            for k, size in enumerate(sizes, 1):
                shapes |= {f"{at}.conv{k}.weight": size, **norm(f"{at}.{block['norm'].format(k=k)}", width)}
            if j == 0:
                shapes[f"{at}.{block['shortcut']}.weight"] = (width, inside, 1, 1)
                shapes |= norm(f"{at}.{block['shortcut norm']}", width)
        before = width
    return shapes


def detectron2(classes: int = 80) -> Shapes:
    parts = {"norm": "conv{k}.norm", "shortcut": "shortcut", "shortcut norm": "shortcut.norm"}
    at = "backbone.bottom_up"
    shapes = body(f"{at}.stem", [f"{at}.res{i + 2}" for i in range(4)], parts)
    for i in range(4):
        shapes |= layer(f"backbone.fpn_lateral{i + 2}", 256, 256 * 2**i, 1, 1)
        shapes |= layer(f"backbone.fpn_output{i + 2}", 256, 256, 3, 3)
        shapes |= layer(f"roi_heads.mask_head.mask_fcn{i + 1}", 256, 256, 3, 3)
    return shapes | {
        **layer("proposal_generator.rpn_head.conv", 256, 256, 3, 3),
        **layer("proposal_generator.rpn_head.objectness_logits", 3, 256, 1, 1),
        **layer("proposal_generator.rpn_head.anchor_deltas", 12, 256, 1, 1),
        **layer("roi_heads.box_head.fc1", 1024, 256 * 7 * 7),
        **layer("roi_heads.box_head.fc2", 1024, 1024),
        **layer("roi_heads.box_predictor.cls_score", classes + 1, 1024),
        **layer("roi_heads.box_predictor.bbox_pred", 4 * classes, 1024),
        **layer("roi_heads.mask_head.deconv", 256, 256, 2, 2),
        **layer("roi_heads.mask_head.predictor", classes, 256, 1, 1),
    }


def maskrcnn_benchmark(classes: int = 80) -> Shapes:
    parts = {"norm": "bn{k}", "shortcut": "downsample.0", "shortcut norm": "downsample.1"}
    at = "backbone.body"
    shapes = body(f"{at}.stem", [f"{at}.layer{i + 1}" for i in range(4)], parts)
    for i in range(4):
        shapes |= layer(f"backbone.fpn.fpn_inner{i + 1}", 256, 256 * 2**i, 1, 1)
        shapes |= layer(f"backbone.fpn.fpn_layer{i + 1}", 256, 256, 3, 3)
        shapes |= layer(f"roi_heads.mask.feature_extractor.mask_fcn{i + 1}", 256, 256, 3, 3)
    return shapes | {
        **layer("rpn.head.conv", 256, 256, 3, 3),
        **layer("rpn.head.cls_logits", 3, 256, 1, 1),
        **layer("rpn.head.bbox_pred", 12, 256, 1, 1),
        **layer("roi_heads.box.feature_extractor.fc6", 1024, 256 * 7 * 7),
        **layer("roi_heads.box.feature_extractor.fc7", 1024, 1024),
        **layer("roi_heads.box.predictor.cls_score", classes + 1, 1024),
        **layer("roi_heads.box.predictor.bbox_pred", 4 * (classes + 1), 1024),
        **layer("roi_heads.mask.predictor.conv5_mask", 256, 256, 2, 2),
        **layer("roi_heads.mask.predictor.mask_fcn_logits", classes + 1, 256, 1, 1),
    }
