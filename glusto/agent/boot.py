"""The first lines that run on a host, given to `python -c`: they read the rest from standard input.

Arguments: this source, the link's token, then the interpreters to try next when this one is too old.
Whatever a shell's rc file printed before comes ahead of the marker, and whatever it read from standard
input was a line of the padding ahead of the token there. It must compile on any Python, 2.7 included.
"""
import os
import sys

token = sys.argv[2]
if sys.version_info < (3, 6):
    for i in range(3, len(sys.argv)):
        try:
            os.execvp(sys.argv[i], [sys.argv[i], "-S", "-E", "-c", "import sys;exec(sys.argv[1])"] + sys.argv[1:3] + sys.argv[i + 1:])
        except OSError:
            continue
    os.write(1, ("\0" + token + "-none\0").encode())
    sys.exit(127)


def read_until(mark):
    seen = b""
    while not seen.endswith(mark):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        seen += byte
    return seen[: -len(mark)]


def read_exactly(count):
    parts = []
    while count:
        part = os.read(0, count)
        if not part:
            sys.exit(0)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


os.write(1, ("\0" + token + "-here\0").encode())
read_until(b"\0" + token.encode() + b"\0")
settings = read_until(b"\0")
size = int(read_until(b"\0"))
import marshal
import zlib
modules = marshal.loads(zlib.decompress(read_exactly(size)))


class Memory:
    """Finds the modules that were sent; `sources` maps a name to (is a package, source text)."""

    sources = modules

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in cls.sources:
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, cls, origin="<glusto>", is_package=cls.sources[name][0])

    @staticmethod
    def create_module(spec):
        return None

    @classmethod
    def exec_module(cls, module):
        name = module.__name__
        exec(compile(cls.sources[name][1], "<glusto>/" + name, "exec"), module.__dict__)

    @classmethod
    def get_source(cls, name):
        return cls.sources[name][1]


sys.meta_path.insert(0, Memory)
from glusto_agent.main import main
main(token, settings)
