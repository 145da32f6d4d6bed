"""A program that PyInstaller freezes: it prints what it sees of itself, and what a child of its
own sees, which is itself again ("again") or another program."""

import json
import os
import subprocess
import sys


def seen() -> dict[str, object]:
    folder = getattr(sys, "_MEIPASS", "not frozen")
    with open(os.path.join(folder, "data.txt")) as data:  # noqa: PTH118, PTH123 - few imports
        return {
            "data": data.read(),
            "folder": folder,
            "argv": sys.argv,
            "executable": sys.executable,
            "environ": [f"{name}={value}" for name, value in os.environ.items()],
        }


def output_of(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


if sys.argv[1:] == ["again"]:
    print(json.dumps(seen()))
else:
    again = json.loads(output_of(sys.executable, "again"))
    print(json.dumps({**seen(), "again": again, "env": output_of("/bin/env")}))
