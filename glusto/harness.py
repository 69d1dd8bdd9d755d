"""The harness: the class behind `g`. Config, log and lab, each method a few lines of delegation.

It is long because the surface is flat: everything that old suites call is a name of `g`.
"""

from __future__ import annotations

import atexit
import difflib
import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from glusto import colors, logs, matrix, rest, store, templates
from glusto import config as configs
from glusto.errors import CommandTimeout, ConfigError, GlustoError, ParallelError
from glusto.events import Events
from glusto.names import check_user_name
from glusto.scope import Scope, Scopes

if TYPE_CHECKING:
    from types import ModuleType

    from plumbum import SshMachine

    from glusto.connection import HostConnection
    from glusto.inventory import Host, Inventory
    from glusto.lab import Lab
    from glusto.loop import Loop
    from glusto.process import Process, Result
    from glusto.transfer import Transfer

DEFAULTS_DIRECTORY = "/etc/glusto"
PING_SECONDS = 5.0
OUTPUT_SECONDS = 2.0  # for what was printed on hosts to arrive, at the end of a test
Names = str | Iterable[str]


class Harness:
    """What tests use as `g`. One is made when glusto is imported, and it opens nothing by itself.

    A host argument is a name from the inventory, the address of one, or any ssh host name. `user=None`
    means the host's own user, else `ssh: user`, else root. Every method may be called from any thread.
    """

    def __init__(self) -> None:
        self._log: logging.Logger = logs.get_log()
        self._config = configs.Config()
        self._user: str | None = None
        self._keyfile: str | None = None
        self._inventory: tuple[str, Inventory] | None = None
        self._live: tuple[Loop, Lab] | None = None
        self._opening = threading.Lock()
        self.events = Events()
        self._scopes = Scopes()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._close_at_exit)

    # Config

    @property
    def config(self) -> dict[str, Any]:
        """The live configuration. What is changed in it, or put in its place, counts at once."""
        return self._config.data

    @config.setter
    def config(self, data: dict[str, Any] | configs.Config) -> None:
        if isinstance(data, configs.Config):
            self._config = data
        else:
            self._config = configs.Config(data)
            self._config.data = data

    load_config = staticmethod(configs.load_data)
    load_yaml_string = staticmethod(configs.yaml_value)
    load_json_string = staticmethod(configs.json_value)
    store_config = staticmethod(store.store)

    def load_config_defaults(self) -> None:
        """Take over what the files defaults.yml, .yaml, .json and .ini of /etc/glusto say, as far as they are there.

        The section `[defaults]` of the INI file goes to the top.

        Raises:
            ConfigError: one can't be read.
        """
        for document in configs.load_defaults(DEFAULTS_DIRECTORY):
            self._config.update(document)

    def load_configs(self, filenames: Names) -> dict[str, Any]:
        """Read config files into `g.config`, a later one's top-level keys over an earlier one's; returns it.

        Raises:
            ConfigError: one can't be read; then none has been taken over.
        """
        for document in [configs.load(name) for name in as_list(filenames)]:
            self._config.update(document)
        return self.config

    def update_config(self, config: Mapping[str, Any]) -> None:
        """Take over the top-level keys of `config` into `g.config`."""
        self._config.update(config)

    def set_config(self, config: dict[str, Any] | configs.Config) -> None:
        """Put `config` in the place of `g.config`; errors tell positions when it is a `Config` of documents."""
        self.config = config

    def clear_config(self) -> None:
        """Make `g.config` empty."""
        self.config = {}

    def get_config(self, obj: object) -> str:
        """Return an object, a config for example, as YAML text."""
        return configs.dump(obj)

    def show_config(self, obj: object) -> None:
        """Print an object, a config for example, as YAML; secrets in it are masked."""
        print(configs.dump(configs.mask(obj)))

    def log_config(self, obj: object) -> None:
        """Log an object, a config for example, as YAML at level DEBUG; secrets in it are masked."""
        self.log.debug("%s:\n%s", type(obj).__name__, configs.dump(configs.mask(obj)))

    def show_file(self, filename: str | os.PathLike[str]) -> None:
        """Print the text of a file or a URL.

        Raises:
            ConfigError: it can't be read, or is no text.
        """
        print(configs.load_data(filename, "text"))

    @property
    def inventory(self) -> Inventory:
        """The hosts, users and settings that the config describes.

        Raises:
            ConfigError: it has a mistake, with file, line and key.
        """
        from glusto.settings import SECTIONS

        told = repr([(key, self.config.get(key)) for key in SECTIONS] + [self._user, self._keyfile])
        if self._inventory is None or self._inventory[0] != told:
            from dataclasses import replace

            from glusto.inventory import Inventory

            inventory = Inventory.from_config(self._config)
            ssh = inventory.ssh
            if self._user is not None:
                ssh = replace(ssh, user=self._user)
            if self._keyfile is not None:
                ssh = replace(ssh, keyfile=self._keyfile)
            self._inventory = told, replace(inventory, ssh=ssh)
        return self._inventory[1]

    @property
    def user(self) -> str:
        """The user for hosts that have none of their own; setting it overrides `ssh: user`."""
        return self.inventory.ssh.user

    @user.setter
    def user(self, name: str) -> None:
        check_user_name(name)
        self._user = name

    def _resolve(self, host: str, user: str | None) -> tuple[Inventory, Host, str]:
        inventory = self.inventory
        found = inventory.host(host)
        if user is not None:
            check_user_name(user)
        return inventory, found, inventory.user_of(found, user)

    def _checked(self, hosts: Names, user: str | None) -> list[str]:
        """Return the names as a list, once all are known to be good: before anything runs on any of them."""
        names = as_list(hosts)
        for host in names:
            self._resolve(host, user)
        return names

    def _name(self, host: str, user: str | None) -> str:
        _, found, user = self._resolve(host, user)
        return f"{user}@{found.name}"

    @property
    def use_controlpersist(self) -> bool:
        """Without effect: links share one SSH connection each, and none outlives the run. Also a key of the config."""
        return bool(self.config.get("use_controlpersist", True))

    @use_controlpersist.setter
    def use_controlpersist(self, wanted: bool) -> None:
        self.config["use_controlpersist"] = wanted

    # Log and colour

    @property
    def log(self) -> logging.Logger:
        """The log. With another logger put in its place, what Glusto itself logs goes there too."""
        return self._log

    @log.setter
    def log(self, log: logging.Logger) -> None:
        if isinstance(log, logging.Logger):
            logs.follow(logs.prepare(log))
        self._log = log

    create_log = staticmethod(logs.create_log)
    add_log = staticmethod(logs.add_log)
    remove_log = staticmethod(logs.remove_log)
    show_logs = staticmethod(logs.show_logs)
    disable_log_levels = staticmethod(logs.disable_log_levels)
    reset_log_levels = staticmethod(logs.reset_log_levels)
    set_log_level = staticmethod(logs.set_log_level)
    set_log_filename = staticmethod(logs.set_log_filename)
    clear_log = staticmethod(logs.clear_log)

    NORMAL, BOLD, DIM, UNDERLINE, BLINK, REVERSE, HIDDEN = colors.ATTRIBUTES
    DEFAULT, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, LTGRAY, *_light = colors.FOREGROUNDS
    DKGRAY, LTRED, LTGREEN, LTYELLOW, LTBLUE, LTMAGENTA, LTCYAN, WHITE = _light
    BG_DEFAULT, BG_BLACK, BG_RED, BG_GREEN, BG_YELLOW, BG_BLUE, BG_MAGENTA, BG_CYAN, *_light = colors.BACKGROUNDS
    BG_LTGRAY, BG_DKGRAY, BG_LTRED, BG_LTGREEN, BG_LTYELLOW, BG_LTBLUE, BG_LTMAGENTA, BG_LTCYAN, BG_WHITE = _light
    COLOR_COMMAND, COLOR_STDOUT, COLOR_STDERR, COLOR_RCODE = colors.ALIASES

    def colorfy(self, color: int, message: str) -> str:
        """Return a message in a colour, if standard output is a terminal and neither NO_COLOR nor the config forbid it.

        Args:
            color: names such as `g.BOLD`, `g.RED` and `g.BG_WHITE`, joined with `|`.
            message: any text.
        """
        return colors.colorfy(color, message, enabled=colors.is_wanted(self.config.get("log_color", True)))

    # Tests

    CarteTestClass = matrix.CarteTestClass
    load_tests = staticmethod(matrix.load_tests)
    render_template = staticmethod(templates.render_template)
    rest_get = staticmethod(rest.get)
    rest_post = staticmethod(rest.post)
    rest_put = staticmethod(rest.put)
    rest_delete = staticmethod(rest.delete)

    # The lab

    @property
    def _loop(self) -> Loop:
        return self._start()[0]

    @property
    def _lab(self) -> Lab:
        return self._start()[1]

    def _start(self) -> tuple[Loop, Lab]:
        with self._opening:
            if self._live is None:
                from glusto.lab import Lab
                from glusto.loop import Loop

                self._live = Loop(), Lab(self.events, self._scopes)
            return self._live

    def _forget(self) -> None:
        """In a forked child: the links are the parent's; what the child needs it opens for itself."""
        self._opening = threading.Lock()
        live, self._live = self._live, None
        self.events.forget()
        self._scopes = Scopes()
        if live is not None:
            live[1].forget()

    def _close_at_exit(self) -> None:
        try:
            self.close()
        except GlustoError as error:
            self.log.error("%s", error)

    def close(self) -> None:
        """Close everything that is open, on all hosts, and confirm that nothing is left there.

        Raises:
            CleanupError: something could not be closed or confirmed; all the rest is closed.
        """
        with self._opening:
            live, self._live = self._live, None
        if live is not None:
            loop, lab = live
            try:
                with self.events.cleaning("run"):
                    loop.wait_for(lab.close(), finish=True)
            finally:
                loop.close()

    def end_class(self) -> None:
        """Close all connections and deployed servers and kill what still runs; the SSH links stay.

        Raises:
            CleanupError: something could not be closed or confirmed; all the rest is closed.
        """
        if self._live is not None:
            with self.events.cleaning("class"):
                self._loop.wait_for(self._lab.end_work(), finish=True)

    def scope(self, what: str = "scope") -> Scope:
        """Begin a scope, which ends with the `with` block, or with its `close`. What was opened in it is closed then.

        What was open before stays, and so do the SSH links. Scopes may be within each other.

        Args:
            what: its name in events.

        Example::

            with g.scope():
                g.rpyc_get_connection("server1").modules.os.sync()
        """
        return Scope(what, self._scopes, self._end_scope)

    def _end_scope(self, scope: Scope) -> None:
        if self._live is not None and scope.used:
            with self.events.cleaning(scope.what):
                self._loop.wait_for(self._lab.end_work(scope), finish=True)

    def open_links(self, users: Sequence[str] | None = None) -> dict[str, Mapping[str, Any] | Exception]:
        """Open the link to every host of the inventory as every user, all at once, and deploy nothing.

        Returns:
            `user@host` → what is known of the host (python, system, swept, …), or why there is no link.
        """
        inventory = self.inventory
        wanted = [
            (host, user)
            for host in inventory.hosts.values()
            for user in inventory.users_of(host, inventory.users if users is None else users)
        ]
        return self._loop.wait_for(self._lab.open_links(inventory, wanted))

    def drop_interrupted(self) -> None:
        """After an interrupt: close the connections that still wait for a call, so that no fixture waits behind it."""
        for connection in self.rpyc_get_connections().values():
            if connection.is_busy:
                connection.lose("a call on it was interrupted")

    def facts(self) -> dict[str, Mapping[str, Any]]:
        """Return what is known of the hosts of the open links: `user@host` → python, system, hostname, …"""
        if self._live is None:
            return {}
        return {name: self._lab.links[name].hello for name in self._lab.live_links()}

    def take_output(self) -> str:
        """Return what remote code has printed since this was last called, each line with its host before it."""
        if self._live is None or not (self._lab.connections or self._lab.printed):
            return ""
        self._loop.wait_for(self._lab.flush_output(OUTPUT_SECONDS))
        return self._loop.call(self._lab.printed.take)

    # RPyC

    def rpyc_get_connection(self, host: str, user: str | None = None, instance: int = 1) -> HostConnection:
        """Return the connection to a host as a user; the same arguments give the same connection.

        It is opened when it isn't yet, or when it is dead. Instances of a user share the deployed server;
        calls on different instances run at the same time.

        Raises:
            HostError: the host can't be reached, or nothing can be deployed there.

        Example::

            conn = g.rpyc_get_connection("server1", user="george")
            conn.modules.os.listdir("/bricks")
        """
        check_instance(instance)
        inventory, found, user = self._resolve(host, user)
        return self._loop.wait_for(self._lab.connect(inventory, found, user, instance))

    def rpyc_create_connections(
        self, hosts: Names, user: str | None = None, num_instances: int = 1
    ) -> dict[str, HostConnection]:
        """Open connections to many hosts at once, instances 1 to `num_instances` on each.

        Returns:
            `user@host:instance` → connection.

        Raises:
            ParallelError: some failed, after all were tried; `.results` has the others too.
        """
        check_instance(num_instances)
        places = [self._resolve(host, user) for host in as_list(hosts)]
        return self._connect_all([(host, user, n) for _, host, user in places for n in range(1, num_instances + 1)])

    def provision(self, hosts: Names, users: Sequence[str] = (), instances: int = 1) -> dict[str, HostConnection]:
        """Open connections to hosts × users × instances, all at once; what TestCase does.

        Args:
            users: a host with a user of its own is connected as that one only, whatever this says.

        Raises:
            ParallelError: some failed, after all were tried; `.results` has the others too.
        """
        check_instance(instances)
        inventory = self.inventory
        found = [inventory.host(host) for host in as_list(hosts)]
        places = [(host, user) for host in found for user in inventory.users_of(host, users)]
        return self._connect_all([(host, user, n) for host, user in places for n in range(1, instances + 1)])

    def _connect_all(self, wanted: list[tuple[Host, str, int]]) -> dict[str, HostConnection]:
        results = self._loop.wait_for(self._lab.connect_all(self.inventory, wanted))
        if any(isinstance(result, BaseException) for result in results.values()):
            raise ParallelError(results)
        return results  # type: ignore[return-value]

    def rpyc_get_connections(self) -> dict[str, HostConnection]:
        """Return the open connections: `user@host:instance` → connection."""
        if self._live is None:
            return {}
        return {name: one for name, one in self._lab.connections.items() if not one.closed}

    def rpyc_list_connections(self) -> list[str]:
        """Print and return the names of the open connections, sorted."""
        return print_names(self.rpyc_get_connections())

    def rpyc_check_connection(self, host: str, user: str | None = None, instance: int = 1) -> bool:
        """Print and return whether a connection is open; never opens it."""
        name = f"{self._name(host, user)}:{instance}"
        is_open = name in self.rpyc_get_connections()
        print(f"{name} is {'open' if is_open else 'closed'}")
        return is_open

    def rpyc_ping_connection(self, host: str, user: str | None = None, instance: int = 1) -> bool:
        """Return whether a connection is open and answers within 5 seconds; never opens it."""
        connection = self.rpyc_get_connections().get(f"{self._name(host, user)}:{instance}")
        if connection is None:
            return False
        try:
            connection.ping(timeout=PING_SECONDS)
        except (EOFError, TimeoutError):
            return False
        return True

    def rpyc_close_connection(self, host: str | None = None, user: str | None = None, instance: int = 1) -> None:
        """Close one connection; does nothing when it isn't open. The deployed server stays."""
        if host is not None and self._live is not None:
            self._loop.call(self._lab.close_connection, f"{self._name(host, user)}:{instance}")

    def rpyc_close_connections(self) -> None:
        """Close all connections; the deployed servers stay."""
        if self._live is not None:
            self._loop.call(self._lab.close_connections)

    def rpyc_list_deployed_servers(self) -> list[str]:
        """Print and return the names of the deployed servers, `user@host`, sorted."""
        return print_names(self._lab.servers if self._live is not None else ())

    def rpyc_close_deployed_server(self, host: str | None = None, user: str | None = None) -> None:
        """Close a deployed server and its connections; the SSH link stays. Does nothing when there is none.

        Raises:
            HostError: its host is not clean (ResidueError), or did not confirm that it is.
        """
        if host is not None and self._live is not None:
            self._loop.wait_for(self._lab.close_server(self._name(host, user)), finish=True)

    def rpyc_close_deployed_servers(self) -> None:
        """Close all deployed servers and connections; the SSH links stay.

        Raises:
            CleanupError: some hosts are not clean, or did not confirm it; all were tried.
        """
        if self._live is not None:
            self._loop.wait_for(self._lab.close_servers(), finish=True)

    def rpyc_define_module(self, connection: HostConnection, local_module: ModuleType) -> Any:
        """Define a local module on the host of a connection, under the same name; returns it.

        Example::

            remote = g.rpyc_define_module(conn, helpers)
            remote.count_files("/bricks")
        """
        import inspect

        module = connection.modules.types.ModuleType(local_module.__name__)
        code = connection.builtins.compile(inspect.getsource(local_module), f"<{local_module.__name__}>", "exec")
        connection.modules.sys.modules[local_module.__name__] = module
        connection.builtins.exec(code, module.__dict__)
        return module

    # Commands

    def run(
        self,
        host: str,
        command: str | Sequence[str],
        user: str | None = None,
        log_level: str | int | None = None,
        *,
        timeout: float | None = None,
        stdin: str | bytes | None = None,
        check: bool = False,
    ) -> Result:
        """Run a command in the user's shell on a host, and wait for it.

        Args:
            command: text for the shell; the words of a list are joined with spaces.
            log_level: the level at which the command is logged, INFO by default.
            timeout: seconds after which it is killed on the host.
            stdin: what it reads; nothing by default.
            check: raise when the command fails.

        Returns:
            (returncode, stdout, stderr). For a host that can't be reached, or is lost on the way,
            (255, "", why), with the HostError as its `.error`.

        Raises:
            CommandTimeout: it took longer than `timeout`; it is dead on the host.
            CommandFailed: with `check`, its return code is not 0.
            HostError: with `check`, the host can't be reached.

        Example::

            returncode, stdout, stderr = g.run("server1", "uname -r")
        """
        process = self.run_async(host, command, user, log_level, timeout=timeout, stdin=stdin)
        return process.result(check=check)

    def run_async(
        self,
        host: str,
        command: str | Sequence[str],
        user: str | None = None,
        log_level: str | int | None = None,
        *,
        timeout: float | None = None,
        stdin: str | bytes | None = None,
        stdout: BinaryIO | None = None,
    ) -> Process:
        """Start a command on a host; see `run`.

        Args:
            stdout: a binary file into which its standard output goes as it comes; the result has none then.

        Example::

            process = g.run_async("server1", "dd if=/dev/zero of=/bricks/f bs=1M count=999")
            returncode, stdout, stderr = process.async_communicate()
        """
        from glusto.process import Process

        inventory, found, user = self._resolve(host, user)
        text = command if isinstance(command, str) else " ".join(command)
        loop, lab = self._start()
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        process = Process(
            f"{user}@{found.name}", text, loop.asyncio, self.log, log_level, timeout=timeout, stdin=data, stdout=stdout
        )
        process.when_over(self.events.command(process.host, text))
        self._scopes.started(process)
        loop.asyncio.call_soon_threadsafe(lab.run, inventory, found, user, process)
        return process

    def run_parallel(
        self,
        hosts: Names,
        command: str | Sequence[str],
        user: str | None = None,
        log_level: str | int | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Result]:
        """Run a command on many hosts at the same time; host → result, in the order of `hosts`.

        Raises:
            ParallelError: on some hosts it took longer than `timeout`; `.results` has the others too.
        """
        names = self._checked(hosts, user)
        processes = {host: self.run_async(host, command, user, log_level, timeout=timeout) for host in names}
        results: dict[str, Any] = {}
        for host, process in processes.items():
            try:
                results[host] = process.async_communicate()
            except CommandTimeout as error:
                results[host] = error
        if any(isinstance(result, Exception) for result in results.values()):
            raise ParallelError(results)
        return results

    def run_serial(
        self,
        hosts: Names,
        command: str | Sequence[str],
        user: str | None = None,
        log_level: str | int | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Result]:
        """Run a command on one host after the other; host → result, in the order of `hosts`."""
        names = self._checked(hosts, user)
        return {host: self.run(host, command, user, log_level, timeout=timeout) for host in names}

    def run_local(
        self, command: str | Sequence[str], log_level: str | int | None = None, *, timeout: float | None = None
    ) -> Result:
        """Run a command in the local shell, and wait for it; see `run`.

        Raises:
            CommandTimeout: it took longer than `timeout`; it has been killed.
        """
        from glusto.process import run_local

        text = command if isinstance(command, str) else " ".join(command)
        ended = self.events.command("localhost", text)
        try:
            result = run_local(text, self.log, log_level, timeout)
        except BaseException as error:
            ended(error)
            raise
        ended(result)
        return result

    # Files

    def upload(self, host: str, localpath: str, remotepath: str, user: str | None = None) -> None:
        """Copy a file, or a directory with all that is below it, to a host. Modes are kept.

        Args:
            remotepath: its new name; or a directory that is there, and then it goes into that.

        Raises:
            TransferError: it did not arrive, or not whole.
            ConnectError, DeployError: the host can't be reached or used.
        """
        from glusto import transfer

        name, stream = self._transfer(host, user, "receive", [remotepath, os.path.basename(os.path.abspath(localpath))])
        with self.events.transfer(name, "upload", os.fspath(localpath), remotepath):
            transfer.upload(stream, name, os.fspath(localpath), remotepath)

    def download(self, host: str, remotepath: str, localpath: str, user: str | None = None) -> None:
        """Copy a file, or a directory with all that is below it, from a host. Modes are kept.

        Args:
            localpath: its new name; or a directory that is there, and then it goes into that.

        Raises:
            TransferError: it did not arrive, or not whole.
            ConnectError, DeployError: the host can't be reached or used.
        """
        from glusto import transfer

        name, stream = self._transfer(host, user, "send", [remotepath])
        with self.events.transfer(name, "download", remotepath, os.fspath(localpath)):
            transfer.download(stream, name, remotepath, os.fspath(localpath))

    def transfer(
        self, sourcehost: str, sourcefile: str, targethost: str, targetfile: str, user: str | None = None
    ) -> None:
        """Copy a file, or a directory with all that is below it, from one host to another, by way of this machine.

        The hosts need not know each other, and nothing is stored here on its way. Modes are kept.

        Args:
            targetfile: its new name; or a directory that is there, and then it goes into that.
            user: on both hosts.

        Raises:
            TransferError: it did not arrive, or not whole.
            ConnectError, DeployError: a host can't be reached or used.
        """
        from glusto import transfer

        source_name, source = self._transfer(sourcehost, user, "send", [sourcefile])
        target_name, target = self._transfer(
            targethost, user, "receive", [targetfile, os.path.basename(sourcefile.rstrip("/"))]
        )
        with self.events.transfer(target_name, "transfer", f"{source_name}:{sourcefile}", targetfile):
            transfer.relay(source, target, target_name, f"{source_name}:{sourcefile}", targetfile)

    def _transfer(self, host: str, user: str | None, call: str, arguments: list[str]) -> tuple[str, Transfer]:
        from glusto.transfer import Transfer

        inventory, found, user = self._resolve(host, user)
        lab = self._lab

        async def start() -> Transfer:
            return Transfer(await lab.link(inventory, found, user), call, arguments)

        return f"{user}@{found.name}", self._loop.wait_for(start())

    # SSH

    def ssh_get_connections(self) -> dict[str, SshMachine]:
        """Return a plumbum SshMachine for each open SSH link, by `user@host`; made on first use.

        They ride on the links' own SSH connections and are closed with them. A `connection: local` has none.
        """
        return self._lab.machines.all(self._lab.links) if self._live is not None else {}

    def ssh_list_connections(self) -> list[str]:
        """Print and return the names of the open links, `user@host`, sorted."""
        return print_names(self._lab.live_links() if self._live is not None else ())

    def ssh_close_connection(self, host: str, user: str | None = None) -> None:
        """Close a link, and before it what rides on it. Does nothing when there is none.

        Raises:
            HostError: its host is not clean (ResidueError), or did not confirm that it is.
        """
        if self._live is not None:
            self._loop.wait_for(self._lab.close_link(self._name(host, user)), finish=True)

    def ssh_close_connections(self) -> None:
        """Close all links, and before them what rides on them.

        Raises:
            CleanupError: some hosts are not clean, or did not confirm it; all were tried.
        """
        if self._live is not None:
            self._loop.wait_for(self._lab.close_links(), finish=True)

    def ssh_set_keyfile(self, path: str) -> bool:
        """Use this private key from now on; False, and a logged error, when there is no such file."""
        expanded = os.path.expanduser(path)
        if not os.path.isfile(expanded):
            self.log.error("the keyfile %s does not exist", expanded)
            return False
        self._keyfile = expanded
        return True

    def ssh_get_keyfile(self) -> str | None:
        """Return the private key that links use; None when that is left to ssh."""
        return self.inventory.ssh.keyfile

    if not TYPE_CHECKING:  # a type checker is to find such names by itself

        def __getattr__(self, name: str) -> Any:
            """Say which name was meant."""
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)  # raises what the property has raised
            names = [known for known in dir(self) if not known.startswith("_")]
            near = difflib.get_close_matches(name, names, 1, 0.6)
            raise AttributeError(f"g has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def as_list(names: Names) -> list[str]:
    """Return one name or many as a list."""
    return [names] if isinstance(names, str) else list(names)


def check_instance(number: int) -> None:
    """Refuse what is no instance number, or number of instances."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ConfigError(f"an instance is a whole number from 1 up, not {number!r}")


def print_names(names: Iterable[str]) -> list[str]:
    """Print names, one a line, sorted, and return them."""
    found = sorted(names)
    for name in found:
        print(name)
    return found


g = Harness()
