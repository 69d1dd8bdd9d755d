"""Users and instances: as many connections to one host as a test wants."""

from glusto import TestCase, g


class TestUsers(TestCase):
    def test_every_connection_is_the_user_that_its_name_says(self):
        for name, conn in sorted(g.rpyc_get_connections().items()):
            with self.subTest(connection=name):
                self.assertEqual(conn.modules.getpass.getuser(), name.split("@")[0])

    def test_two_users_have_two_processes(self):
        if len(self.users) < 2:
            self.skipTest("the config names fewer than two users")
        first, second = (g.rpyc_get_connection(self.servers[0], user) for user in self.users[:2])
        self.assertNotEqual(first.modules.os.getpid(), second.modules.os.getpid())
        self.assertNotEqual(first.modules.os.getuid(), second.modules.os.getuid())


class TestInstances(TestCase):
    instances = 2  # for this class, whatever the config says

    def test_instances_are_connections_of_their_own(self):
        first, second = (g.rpyc_get_connection(self.servers[0], instance=number) for number in (1, 2))
        self.assertIsNot(first, second)

    def test_instances_share_one_process_and_so_its_modules(self):
        first, second = (g.rpyc_get_connection(self.servers[0], instance=number) for number in (1, 2))
        self.assertEqual(first.modules.os.getpid(), second.modules.os.getpid())
        first.modules.os.environ["VOLUME"] = "testvol"
        self.assertEqual(second.modules.os.environ["VOLUME"], "testvol")
        first.execute("volume = 'testvol'")
        self.assertNotIn("volume", second.namespace)  # a namespace is the connection's own

    def test_their_names_say_who_is_where(self):
        names = g.rpyc_list_connections()
        for server in self.servers:
            self.assertEqual(sum(f"@{server}:" in name for name in names), 2 * max(1, len(self.users)))
