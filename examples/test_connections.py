"""Connections: live Python objects on every server."""

import helpers

from glusto import TestCase, g


class TestConnections(TestCase):
    def test_every_server_runs_linux(self):
        for server in self.servers:
            with self.subTest(server=server):
                conn = g.rpyc_get_connection(server)
                self.assertEqual(conn.modules.sys.platform, "linux")

    def test_any_module_of_the_host_is_there(self):
        conn = g.rpyc_get_connection(self.servers[0])
        self.assertIn("etc", conn.modules.os.listdir("/"))
        self.assertTrue(conn.modules["os.path"].isdir("/etc"))

    def test_asking_twice_gives_the_same_connection(self):
        conn = g.rpyc_get_connection(self.servers[0])
        self.assertIs(g.rpyc_get_connection(self.servers[0]), conn)

    def test_code_runs_on_the_host(self):
        conn = g.rpyc_get_connection(self.servers[0])
        conn.execute("bricks = ['/bricks/%d' % number for number in range(3)]")
        self.assertEqual(conn.eval("len(bricks)"), 3)
        self.assertEqual(conn.namespace["bricks"][0], "/bricks/0")

    def test_a_local_module_can_be_defined_on_the_host(self):
        conn = g.rpyc_get_connection(self.servers[0])
        remote = g.rpyc_define_module(conn, helpers)
        self.assertEqual(remote.average([1, 2, 6]), 3)

    def test_a_closed_connection_is_opened_again_when_it_is_asked_for(self):
        server = self.servers[0]
        conn = g.rpyc_get_connection(server)
        g.rpyc_close_connection(server)
        self.assertFalse(g.rpyc_check_connection(server))
        self.assertIsNot(g.rpyc_get_connection(server), conn)
        self.assertTrue(g.rpyc_ping_connection(server))
