"""The Python versions of a fleet: those of the pyenv in the home directory of whoever makes it."""

from pathlib import Path

from .machine import PYTHONS


def interpreters(versions: Path) -> dict[str, str]:
    """Version → the path that its interpreter gets in the hosts, oldest version first."""
    found = sorted((*versions.glob("*/bin/python2"), *versions.glob("*/bin/python3")), key=_age)
    return {python.parts[-3]: f"{PYTHONS}/{python.relative_to(versions)}" for python in found}


def make_relocatable(versions: Path, layer: Path) -> None:
    """Put into ``layer`` those interpreters that find their libpython only where they were built.

    With pyenv's shared builds that is a home directory which no other account may enter. The copy looks
    beside itself instead: same length, so that nothing else in the file moves.
    """
    layer.mkdir()
    for python in versions.glob("*/bin/python[23].*"):
        built_for = f"{python.parents[1]}/lib\0".encode()
        content = python.read_bytes()
        if not python.is_symlink() and built_for in content:
            copy = layer / python.relative_to(versions)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content.replace(built_for, b"$ORIGIN/../lib".ljust(len(built_for), b"\0")))
            copy.chmod(0o755)


def _age(python: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in python.parts[-3].split(".") if number.isdigit())
