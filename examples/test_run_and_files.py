"""Commands and files: run something in a shell on a host, and copy things there and back."""

import os
import tempfile
import time

from glusto import CommandFailed, CommandTimeout, TestCase, g


class TestRun(TestCase):
    def test_a_command_gives_returncode_stdout_and_stderr(self):
        returncode, stdout, stderr = g.run(self.servers[0], "echo out; echo err >&2; exit 3")
        self.assertEqual((returncode, stdout, stderr), (3, "out\n", "err\n"))

    def test_a_command_is_text_for_the_shell(self):
        result = g.run(self.servers[0], "for n in 1 2 3; do echo $n; done | wc -l")
        self.assertEqual(result.stdout.strip(), "3")

    def test_a_command_runs_as_the_user_it_is_given(self):
        for user in self.users or [None]:  # None is the host's own user
            conn = g.rpyc_get_connection(self.servers[0], user)
            self.assertEqual(g.run(self.servers[0], "id -un", user).stdout.strip(), conn.modules.getpass.getuser())

    def test_all_servers_at_once(self):
        results = g.run_parallel(self.servers, "uname -s")
        self.assertEqual(list(results), list(self.servers))
        for returncode, stdout, _ in results.values():
            self.assertEqual((returncode, stdout), (0, "Linux\n"))

    def test_a_command_in_the_background(self):
        started = time.monotonic()
        process = g.run_async(self.servers[0], "sleep 0.5; echo done")
        self.assertLess(time.monotonic() - started, 0.4)
        self.assertEqual(process.async_communicate(), (0, "done\n", ""))

    def test_a_command_that_takes_too_long_is_killed_on_the_host(self):
        with self.assertRaises(CommandTimeout) as caught:
            g.run(self.servers[0], "echo $$; exec sleep 60", timeout=0.5)
        pid = caught.exception.stdout.strip()
        self.assertNotEqual(g.run(self.servers[0], f"kill -0 {pid}").returncode, 0)

    def test_a_command_that_must_not_fail(self):
        with self.assertRaises(CommandFailed) as caught:
            g.run(self.servers[0], "mount /bricks/none", check=True)
        self.assertNotEqual(caught.exception.result.returncode, 0)


class TestFiles(TestCase):
    def setUp(self):
        self.server = self.servers[0]
        self.remote = g.run(self.server, "mktemp -d", check=True).stdout.strip()
        self.addCleanup(g.run, self.server, f"rm -r {self.remote}", check=True)
        local = tempfile.TemporaryDirectory()
        self.addCleanup(local.cleanup)
        self.local = local.name

    def path(self, name):
        return os.path.join(self.local, name)

    def test_a_file_goes_there_and_back(self):
        with open(self.path("volume.conf"), "w") as file:
            file.write("replica 3\n")
        g.upload(self.server, self.path("volume.conf"), self.remote)
        self.assertEqual(g.run(self.server, f"cat {self.remote}/volume.conf").stdout, "replica 3\n")
        g.download(self.server, f"{self.remote}/volume.conf", self.path("copy.conf"))
        with open(self.path("copy.conf")) as file:
            self.assertEqual(file.read(), "replica 3\n")

    def test_a_directory_goes_with_all_that_is_below_it(self):
        os.makedirs(self.path("logs/bricks"))
        with open(self.path("logs/bricks/one.log"), "w") as file:
            file.write("started\n")
        os.chmod(self.path("logs/bricks/one.log"), 0o640)
        g.upload(self.server, self.path("logs"), self.remote)
        found = g.run(self.server, f"stat -c %a {self.remote}/logs/bricks/one.log", check=True)
        self.assertEqual(found.stdout, "640\n")
