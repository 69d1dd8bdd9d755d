"""The sections of a config that Glusto knows, each a frozen dataclass that defines it whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from glusto.errors import ConfigError
from glusto.names import check_interpreter, check_path, check_text, check_user_name
from glusto.schema import Before, Range, freeze, nothing


def check_option_name(name: str) -> str:
    """The name of an ssh_config(5) option, or ConfigError."""
    if not re.fullmatch("[A-Za-z]+", name):
        raise ConfigError(f"{name!r} is no ssh_config(5) option; their names are letters, as in Compression")
    return name


def _option_value(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | float) else value


UserName = Annotated[str, check_user_name]
FilePath = Annotated[str, check_path]
Interpreter = Annotated[str, check_interpreter]
Port = Annotated[int, Range(minimum=1, maximum=65535)]
Seconds = Annotated[float, Range(above=0)]
OptionName = Annotated[str, check_option_name]
OptionValue = Annotated[str, Before(_option_value), check_text]
Vars = Annotated[Mapping[str, Any], freeze]


@dataclass(frozen=True)
class SshSettings:
    """How ssh is called, for every host: the `ssh:` section."""

    user: UserName = "root"
    keyfile: FilePath | None = None
    strict_host_key_checking: Literal["accept-new", "yes", "no"] = "accept-new"
    connect_timeout: Seconds = 10
    config_file: FilePath | None = None
    options: Mapping[OptionName, OptionValue] = field(default_factory=nothing, hash=False)
    forward_agent: bool = False


@dataclass(frozen=True)
class Reports:
    """Where reports go: the `reports:` section."""

    dir: FilePath = "reports"


@dataclass(frozen=True)
class DiscoverTests:
    """What `unittest` discovery is given."""

    start_dir: FilePath = "."
    pattern: str = "test*.py"
    top_level_dir: FilePath | None = None


@dataclass(frozen=True)
class UnittestList:
    """Test cases of one module, in this order."""

    module_name: str
    list: tuple[str, ...]


@dataclass(frozen=True)
class ModuleTests:
    """All tests of one module."""

    module_name: str
    use_load_tests: bool = True


@dataclass(frozen=True)
class UnittestSettings:
    """Which tests run: the `unittest:` section."""

    output_junit: bool = True
    test_method_prefix: str = "test"
    discover_tests: DiscoverTests | None = None
    load_tests_from_list: bool = False
    unittest_list: UnittestList | None = None
    load_tests_from_module: ModuleTests | None = None
    load_tests_from_name: str | None = None
    load_tests_from_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Every top-level key that Glusto knows, but for the roles."""

    users: tuple[UserName, ...] = ()
    instances: Annotated[int, Range(minimum=1)] = 1
    ssh: SshSettings = SshSettings()
    reports: Reports = Reports()
    unittest: UnittestSettings = UnittestSettings()
    dead_man_seconds: Seconds = 60
    keep_residue: bool = False
    ssh_keyfile: FilePath | None = None  # as `keyfile`, a name of old for `ssh: keyfile`
    keyfile: FilePath | None = None


SECTIONS = ("servers", "clients", "roles", *(each.name for each in fields(Settings)))  # the top-level keys Glusto knows
