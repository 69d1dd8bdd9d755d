"""A suite as it was written for Glusto on Python 2, unchanged but for what Python 3 itself asks.

Its volumes are nothing but files: what counts is how it uses Glusto. It needs Jinja2: `glusto[templates]`. As this
folder is no package, discovery in `examples` passes it by: `python -m glusto -c LAB -d examples/legacy` runs it.
"""

import os
import tempfile

from examples.legacy.base_class import GlusterBaseClass, runs_on
from glusto.core import Glusto as g

HERE = os.path.dirname(os.path.abspath(__file__))


@runs_on([["distributed", "replicated"], ["glusterfs", "nfs"]])
class TestVolume(GlusterBaseClass):
    @classmethod
    def setUpClass(cls):
        super(cls, cls).setUpClass()
        cls.volume = "%s-%s" % (cls.volume_type, cls.mount_type)

    def test_create(self):
        text = g.render_template(
            "volume.tmpl",
            {"name": self.volume, "volume_type": self.volume_type, "bricks": self.servers},
            searchpath=HERE,
        )
        with tempfile.NamedTemporaryFile("w", suffix=".vol") as volfile:
            volfile.write(text)
            volfile.flush()
            for server in self.servers:
                g.upload(server, volfile.name, "%s/%s.vol" % (self.bricks, self.volume))
        for server in self.servers:
            ret, out, _err = g.run(server, "cat %s/%s.vol" % (self.bricks, self.volume))
            self.assertEqual(ret, 0)
            self.assertIn("type %s" % self.volume_type, out)

    def test_heal(self):
        ret, _out, _err = g.run(self.servers[0], "test -f %s/%s.vol" % (self.bricks, self.volume))
        self.assertEqual(ret, 0, "test_create comes first")

    def test_io_while_running(self):
        procs = [g.run_async(server, "sleep 0.2; echo done on $(hostname)") for server in self.servers]
        for proc in procs:
            ret, out, _err = proc.async_communicate()
            self.assertEqual(ret, 0)
            self.assertIn("done on", out)
            self.assertEqual(proc.returncode, 0)

    def test_bricks_by_rpyc(self):
        conn = g.rpyc_get_connection(self.servers[0])
        self.assertTrue(conn.modules.os.path.isdir(self.bricks))
        g.rpyc_close_connection(self.servers[0])
        self.assertNotIn(self.servers[0], " ".join(g.rpyc_get_connections()))


def load_tests(loader, standard_tests, pattern):
    """Run creation before what needs a volume."""
    return g.load_tests(TestVolume, loader, ["test_create", "test_heal"])
