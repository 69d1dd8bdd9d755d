"""The base class that the suite's tests share, and the decorator that runs a test class on every configuration."""

import unittest

from glusto.core import Glusto as g


class runs_on(g.CarteTestClass):
    """Run the decorated class once for each combination of volume type and mount type that the config asks for."""

    def __init__(self, value):
        self.axis_names = ["volume_type", "mount_type"]
        self.available_options = [["distributed", "replicated", "dispersed"], ["glusterfs", "nfs"]]
        self.selections = g.config.get("running_on", [["distributed", "replicated"], ["glusterfs"]])
        self.limits = value


class GlusterBaseClass(unittest.TestCase):
    """Knows the servers, and makes and removes a brick directory on each."""

    @classmethod
    def setUpClass(cls):
        cls.servers = list(g.config["servers"])
        cls.bricks = "/tmp/bricks-%s" % cls.__name__.lower()
        results = g.run_parallel(cls.servers, "mkdir -p %s" % cls.bricks)
        for server, (ret, _out, err) in results.items():
            if ret != 0:
                raise RuntimeError("%s: no bricks: %s" % (server, err))
        g.log.info("Set up %s on %s", cls.__name__, ", ".join(cls.servers))

    @classmethod
    def tearDownClass(cls):
        g.run_parallel(cls.servers, "rm -rf %s" % cls.bricks)
        g.rpyc_close_deployed_servers()
