#!/usr/bin/env python3
"""scripts/check_includes refuses each of these includes, a source in no folder and a second type of one name, and takes
the tree as it is. usage: check_includes_test.py ROOT"""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile

root = pathlib.Path(sys.argv[1])
loader = importlib.machinery.SourceFileLoader("check_includes", str(root / "scripts/check_includes"))
check_includes = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_includes", loader))
sys.dont_write_bytecode = True
loader.exec_module(check_includes)

# A file, and what it must not include: a higher floor, its own includer, or more than it is to know.
WRONG = [
    ("harness/core/stats.h", "harness/judging/record.h"),
    ("harness/core/files.h", "model/config.h"),
    ("harness/host/environment.h", "harness/devices/device.h"),
    ("harness/data/text.h", "harness/training/train.h"),
    ("harness/cost/memory_profile.h", "harness/data/text.h"),
    ("harness/judging/gate.h", "harness/judging/report.h"),
    ("harness/judging/metric.h", "harness/comparison/compare.h"),
    ("harness/isolation/isolated.h", "harness/judging/report.h"),
    ("harness/running/stop_rule.h", "harness/judging/report.h"),
    ("harness/running/ab.h", "harness/planning/plan.h"),
    ("harness/reports/reports.h", "harness/training/train.h"),
    ("harness/reports/reports.h", "harness/cases/cases.h"),
    ("model/config.h", "model/fused/attention.h"),
    ("model/decoder.h", "harness/core/stats.h"),
    ("model/kernels/rotary.h", "model/tensor.h"),
    ("harness/cases/cases.h", "tests/temporary_folder.h"),
]


def plant(copy, path, include):
    """The faults that the copy of the tree has with that include in that file."""
    file = copy / path
    before = file.read_text()
    file.write_text(f'#include "{include}"\n' + before)
    try:
        return list(check_includes.faults(copy))
    finally:
        file.write_text(before)


failed = list(check_includes.faults(root))
with tempfile.TemporaryDirectory() as folder:
    copy = pathlib.Path(folder)
    for source in (file for part in ("harness", "model") for file in (root / part).rglob("*") if file.suffix in (".h", ".cpp")):
        target = copy / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text())
    for path, include in WRONG:
        if not (copy / path).exists() or not (copy / include).exists() and not include.startswith("tests/"):
            failed.append(f"{path} or {include} is not there any more: name others")
        elif not plant(copy, path, include):
            failed.append(f"{path} may include {include}")
    stray = copy / "harness/stray.cpp"
    stray.write_text("")
    if not list(check_includes.faults(copy)):
        failed.append("a source in harness/ itself is taken")
    stray.unlink()
    second = copy / "harness/reports/second.h"
    second.write_text("namespace bench::harness {\nstruct Record {\n};\n}  // namespace bench::harness\n")
    if not list(check_includes.faults(copy)):
        failed.append("two types of one name are taken")
    second.write_text("namespace bench::harness {\nnamespace {\nstruct Record {\n};\n}  // namespace\n}\n")
    if list(check_includes.faults(copy)):
        failed.append("a type for one file alone is refused")
print("\n".join(failed) or f"{len(WRONG) + 2} faults were refused")
sys.exit(1 if failed else 0)
