"""Standard modules that RPyC imports and a deployed server seldom needs: imported when first used.

`payload.py` has RPyC's own modules take them from here. They are two thirds of what its import costs a host.
"""

from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Lazy:
    """Stands for a module, and becomes a name of it at the first use of that name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "Any":
        return getattr(__import__(self._name, None, None, ["*"]), name)


class Introspection(Lazy):
    """`inspect`, with the few functions that every remote object needs at hand."""

    @staticmethod
    def ismodule(value: object) -> bool:
        return isinstance(value, ModuleType)

    @staticmethod
    def isclass(value: object) -> bool:
        return isinstance(value, type)

    @staticmethod
    def isroutine(value: object) -> bool:
        if isinstance(value, (BuiltinFunctionType, FunctionType, MethodType)):
            return True
        kind = type(value)
        return not isinstance(value, type) and hasattr(kind, "__get__") and not hasattr(kind, "__set__")

    @staticmethod
    def getdoc(value: object) -> "str | None":
        text = getattr(value, "__doc__", None)
        return text if isinstance(text, str) else None


inspect = Introspection("inspect")
collections = Lazy("collections")
concurrent_futures = Lazy("concurrent.futures")
importlib = Lazy("importlib")
logging = Lazy("logging")
pickle = Lazy("pickle")
random = Lazy("random")
socket = Lazy("socket")
traceback = Lazy("traceback")
