"""The kernels as a shared library, compiled for this machine when first needed and kept.

One library serves every checkpoint and every shape: parameters and sizes come with the call.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ranker.errors import DependencyMissing

KERNELS: Final = Path(__file__).parent / "kernels"
SOURCE: Final = KERNELS / "ranker.cpp"
COMPILERS: Final = ("g++", "c++")
# GCC's vectors are used; flags that change what NaN or denormals mean process-wide are not.
FLAGS: Final = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared", "-fno-math-errno", "-Wall", "-Wextra")
COMPILE_S: Final = 300
_CPU_INFO: Final = Path("/proc/cpuinfo")


def load_library(cache: Path | None = None) -> ctypes.CDLL:
    """Give the kernels, compiled if the cache doesn't have them for these sources and this CPU.

    Args:
        cache: Where they are kept; `ranker/` in the user's cache folder, without it.

    Raises:
        DependencyMissing: If there is no C++ compiler, or it can't compile them.
    """
    compiler = next((path for name in COMPILERS if (path := shutil.which(name))), None)
    folder = cache or _user_cache()
    file = folder / f"kernels-{_fingerprint()}.so"
    if not _trusted(file):
        if compiler is None:
            raise DependencyMissing("there is no C++ compiler", hint="install g++, or rank on the eager path")
        file = _compiled(compiler, file)
    try:
        library = ctypes.CDLL(str(file))
    except OSError as error:
        raise DependencyMissing(f"the compiled kernels can't be loaded: {error}", hint=f"remove {file}") from error
    for name in ("ranker_greedy", "ranker_rank"):
        function = getattr(library, name)
        function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64), None
    return library


def _compiled(compiler: str, file: Path) -> Path:
    """Compile beside the goal, and move there: who loads it meanwhile sees all of it or nothing."""
    try:
        file = file if _usable(file.parent) else _private(file)
        with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
            fresh = Path(scratch) / file.name
            command = [compiler, *FLAGS, str(SOURCE), "-o", str(fresh)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=COMPILE_S)  # noqa: S603
            fresh.replace(file)
    except subprocess.CalledProcessError as error:
        first = next(iter(error.stderr.splitlines()), "it says nothing")
        raise DependencyMissing(f"{compiler} can't compile the kernels: {first}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DependencyMissing(f"the kernels can't be compiled: {error}") from error
    return file


def _usable(folder: Path) -> bool:
    """Whether files may be written there, and by nobody else."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return False
    return os.access(folder, os.W_OK) and _own(folder)


def _private(file: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="ranker-kernels-")) / file.name


def _trusted(file: Path) -> bool:
    """Whether there is a library that nobody else could have put there."""
    return file.exists() and _own(file) and _own(file.parent)


def _own(path: Path) -> bool:
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ranker"


def _fingerprint() -> str:
    """Tell sources, flags and CPUs apart: code for one CPU may not run on another."""
    digest = hashlib.sha256("\0".join((*FLAGS, *COMPILERS, platform.machine(), _cpu())).encode())
    for source in sorted(KERNELS.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:20]


def _cpu() -> str:
    if not _CPU_INFO.exists():
        return platform.processor()
    lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    told = {line.split(":")[0].strip(): line for line in lines if ":" in line}
    return "\n".join(told.get(key, "") for key in ("model name", "flags", "Features"))
