#!/usr/bin/env python3
"""On a Mac that can't build it scripts/setup says why before it installs anything. A Mac is played by programs of its
names. usage: setup_test.py ROOT"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1])

# What a Mac on which all is well says.
GOOD = {
    "uname": 'case "${1:-}" in -m) echo arm64 ;; *) echo Darwin ;; esac',
    "sysctl": "exit 1",
    "sw_vers": "echo 14.5",
    "xcode-select": "echo /Library/Developer/CommandLineTools",
    "brew": 'case "$1" in --prefix) echo /opt/homebrew ;; list) exit 1 ;; install) echo brew installs >&2; exit 0 ;; esac',
}
# What is different, and what is said of it.
WRONG = [
    ({"uname": GOOD["uname"].replace("arm64", "x86_64"), "sysctl": "echo 1"}, "under Rosetta"),
    ({"uname": GOOD["uname"].replace("arm64", "x86_64")}, "an Intel Mac"),
    ({"sw_vers": "echo 13.7.1"}, "macOS 13.7.1"),
    ({"xcode-select": "exit 2"}, "xcode-select --install"),
    ({"brew": None}, "Homebrew is needed"),
    ({"brew": GOOD["brew"].replace("/opt/homebrew", "/usr/local")}, "for Intel Macs"),
    ({"brew": GOOD["brew"].replace("exit 0", "exit 1")}, "brew update"),
]


def said(programs):
    """What setup says on such a Mac, and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        copy, tools = pathlib.Path(folder) / "copy", pathlib.Path(folder) / "tools"
        for part in ("scripts/setup", "tests/python/requirements.txt"):
            (copy / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / part, copy / part)
        tools.mkdir()
        for name in ("bash", "cat", "cksum", "mkdir", "dirname", "rm", "env"):
            (tools / name).symlink_to(shutil.which(name))
        for name, text in programs.items():
            if text is not None:
                (tools / name).write_text(f"#!/bin/bash\n{text}\n")
                (tools / name).chmod(0o755)
        result = subprocess.run([copy / "scripts/setup"], env={**os.environ, "PATH": str(tools)}, capture_output=True, text=True)
        return result.stderr, result.returncode


failed = []
for changed, expected in WRONG:
    text, code = said({**GOOD, **changed})
    if expected not in text or code != 2:
        failed.append(f"expected '{expected}' and exit code 2, got {code}: {text}")
text, _ = said(GOOD)
if "brew installs" not in text:
    failed.append(f"a good Mac gets as far as Homebrew, and not only to: {text}")
print("\n".join(failed) or f"{len(WRONG)} Macs were told what they lack")
sys.exit(1 if failed else 0)
