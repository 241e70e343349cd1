"""How much memory COCO's annotations take: of 860,000 a process must hold no gigabyte."""

import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segsg.data.coco_file import read_instances

MANY, SOME = 200_000, 3_000
MOST_KEPT = 600
"""bytes of an annotation with a polygon of 20 corners, which are 320 bytes of float64, and its share of an image"""
MOST_AT_ONCE = 1000
"""bytes while reading; COCO's training annotations then stay below a gigabyte"""
CHUNK = 2**23
"""bytes for the part of the file that is being decoded, and for what the allocator rounds up"""


def instances(path: Path, count: int) -> Path:
    """Annotations with a polygon of 20 corners each, ten in an image."""
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(count // 10)]
    with path.open("w") as file:
        file.write(f'{{"images": {json.dumps(images)}, "categories": [{{"id": 1, "name": "dog"}}], "annotations": [')
        for number in range(count):
            x, y = number % 500, number % 400
            corners = ", ".join(f"{x + i % 30}.25, {y + i % 20}.75" for i in range(20))
            record = f'{{"id": {number}, "image_id": {number // 10}, "category_id": 1, "iscrowd": 0, "area": 12.5, '
            record += f'"bbox": [{x}.25, {y}.5, 30, 20], "segmentation": [[{corners}]]}}'
            file.write(f", {record}" if number else record)
        file.write("]}")
    return path


def kept(read: Callable[[], Any]) -> int:
    """Bytes that the result of `read` holds."""
    gc.collect()
    tracemalloc.start()
    try:
        result = read()
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result
    return held


def test_an_annotation_is_kept_in_few_bytes(tmp_path):
    path = instances(tmp_path / "instances.json", SOME)
    read = kept(lambda: read_instances(path))
    assert read < MOST_KEPT * SOME
    assert read < kept(lambda: json.loads(path.read_text())) / 3  # Python's own lists do not keep the bound


READ = """
import sys
from pathlib import Path
from segsg.data.coco_file import read_instances

def peak():
    if sys.platform == "linux":  # getrusage would count the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

before = peak()
_, _, read = read_instances(Path(sys.argv[1]))
print(len(read.labels), peak() - before)
"""


def test_a_process_that_reads_many_annotations_stays_small(tmp_path):
    path = instances(tmp_path / "instances.json", MANY)
    said = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True).stdout
    count, taken = map(int, said.split())
    assert count == MANY
    assert MOST_KEPT / 2 * MANY < taken < MOST_AT_ONCE * MANY + CHUNK
