"""ssh's command line, and what its complaints are made into; what real ones say is in test_connect_errors.py."""

import pytest

from glusto.inventory import Host
from glusto.settings import SshSettings
from glusto.ssh import explain, link_arguments, port_of

REFUSED = "ssh: connect to host web.example.com port {}: Connection refused\r\n"
WEB = Host("web", "web.example.com")


@pytest.mark.parametrize("option", ["Port", "port", "PORT"])
def test_an_error_names_the_port_that_the_options_give(option: str) -> None:
    settings = SshSettings(options={option: "2222"})
    error = explain(WEB, "root", settings, "root@web.example.com: Permission denied (publickey).", 255)
    assert error.reason == "auth"
    assert "ssh-copy-id -p 2222 root@web.example.com" in error.problem
    assert error.fix == "ssh-copy-id -p 2222 root@web.example.com"


def test_a_hosts_own_port_counts_before_that_of_the_options() -> None:
    host, settings = Host("web", "web.example.com", port=2201), SshSettings(options={"Port": "2222"})
    assert port_of(host, settings) == 2201
    words = link_arguments(host, "root", settings, control="/c", forward=None)
    assert words.index("-p") < words.index("-oPort=2222")  # the first counts


def test_an_error_names_the_port_that_ssh_itself_tells() -> None:
    error = explain(WEB, "root", SshSettings(), REFUSED.format(2200), 255)  # from ~/.ssh/config, say
    assert error.problem.startswith("nothing listens on port 2200. ")


def test_a_port_that_is_no_number_is_left_to_ssh() -> None:
    assert port_of(WEB, SshSettings(options={"Port": "ssh"})) == 22


@pytest.mark.parametrize(
    "complaint",
    [
        REFUSED.format(22),
        "ssh: Could not resolve hostname web.example.com: Name or service not known\n",
        "ssh: something that nobody has seen before\n",
    ],
)
def test_an_error_says_once_that_it_is_ssh_who_speaks(complaint: str) -> None:
    told = str(explain(WEB, "root", SshSettings(), complaint, 255))
    assert complaint.strip().removeprefix("ssh: ") in told
    assert "ssh: ssh:" not in told and "(ssh: " in told.replace("255 (", "(ssh: ")
