"""Exit 0 if this Python's shared library is there, which PyInstaller freezes; else 1."""

import sys
import sysconfig
from pathlib import Path


def main() -> int:
    name = sysconfig.get_config_var("INSTSONAME")
    directories = [
        sysconfig.get_config_var("LIBDIR"),
        "/usr/lib/" + str(sysconfig.get_config_var("MULTIARCH")),
    ]
    return 0 if any((Path(d) / name).exists() for d in directories if d) else 1


sys.exit(main())
