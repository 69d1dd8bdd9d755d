"""Live Python objects on every server."""

from glusto import TestCase, g


class TestPlatform(TestCase):
    def test_every_server_runs_linux(self):
        for server in self.servers:
            conn = g.rpyc_get_connection(server)
            self.assertEqual(conn.modules.sys.platform, "linux")

    def test_subs(self):
        for server in self.servers:
            with self.subTest(server=server):
                self.assertEqual(g.rpyc_get_connection(server).eval("6 * 7"), 42)

    def test_prints(self):
        g.rpyc_get_connection(self.servers[0]).execute("print('from the server')")
