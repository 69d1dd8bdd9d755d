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
    """How ssh is called, for every host: the `ssh:` section. It reads ssh's own configuration as always.

    Attributes:
        user: who logs in on hosts without a user of their own, when `users` is empty.
        keyfile: the private key; by default those that ssh finds by itself.
        strict_host_key_checking: what happens with hosts whose key is not known: accept-new takes it, yes refuses
            the host, no doesn't look.
        connect_timeout: seconds until a host counts as unreachable.
        config_file: an ssh_config(5) file, in place of ssh's own two.
        options: any options of ssh_config(5), such as `ProxyJump: bastion`.
        forward_agent: let hosts use the ssh agent of this machine.
    """

    user: UserName = "root"
    keyfile: FilePath | None = None
    strict_host_key_checking: Literal["accept-new", "yes", "no"] = "accept-new"
    connect_timeout: Seconds = 10
    config_file: FilePath | None = None
    options: Mapping[OptionName, OptionValue] = field(default_factory=nothing, hash=False)
    forward_agent: bool = False


@dataclass(frozen=True)
class Reports:
    """Where reports go: the `reports:` section.

    Attributes:
        dir: the directory; it is made when there is none.
    """

    dir: FilePath = "reports"


@dataclass(frozen=True)
class DiscoverTests:
    """What `unittest` discovery is given.

    Attributes:
        start_dir: where it begins.
        pattern: which file names hold tests.
        top_level_dir: the directory that modules are imported from; start_dir by default.
    """

    start_dir: FilePath = "."
    pattern: str = "test*.py"
    top_level_dir: FilePath | None = None


@dataclass(frozen=True)
class UnittestList:
    """Test cases of one module, in this order.

    Attributes:
        module_name: the module, with dots.
        list: names in it: `Class`, or `Class.test_method`.
    """

    module_name: str
    list: tuple[str, ...]


@dataclass(frozen=True)
class ModuleTests:
    """All tests of one module.

    Attributes:
        module_name: the module, with dots.
        use_load_tests: have the module's `load_tests` function choose, if it has one.
    """

    module_name: str
    use_load_tests: bool = True


@dataclass(frozen=True)
class UnittestSettings:
    """Which tests run when the command line names none: the `unittest:` section.

    Attributes:
        output_junit: write a JUnit file for each class.
        test_method_prefix: how the names of test methods begin.
        discover_tests: find tests in a directory.
        load_tests_from_list: run what unittest_list says.
        unittest_list: test cases of one module.
        load_tests_from_module: all tests of one module.
        load_tests_from_name: a module, class or method, with dots.
        load_tests_from_names: several of them.
    """

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
    """Every top-level key that Glusto knows, but for the roles.

    Attributes:
        users: every host (but one with a user of its own) is connected as each of these.
        instances: connections for each host and user.
        ssh: how ssh is called, for every host.
        reports: where reports go.
        unittest: which tests run when the command line names none.
        dead_man_seconds: when nothing is heard of the runner for so long, hosts clean themselves.
        keep_residue: leave what tests left running on the hosts, to look at it; it is reported either way.
        ssh_keyfile: a name of old for `ssh: keyfile`.
        keyfile: a name of old for `ssh: keyfile`.
    """

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
