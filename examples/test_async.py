"""Async calls: start something on a host, do something else, wait for it."""

import time

import rpyc

from glusto import TestCase, g


def seconds(work):
    started = time.monotonic()
    work()
    return time.monotonic() - started


class TestAsync(TestCase):
    instances = 2

    def setUp(self):
        self.first, self.second = (g.rpyc_get_connection(self.servers[0], instance=number) for number in (1, 2))

    def sleep(self, conn):
        """Start half a second's sleep on the host."""
        return rpyc.async_(conn.modules.time.sleep)(0.5)

    def test_an_async_call_returns_at_once(self):
        started = time.monotonic()
        result = self.sleep(self.first)
        self.assertLess(time.monotonic() - started, 0.4)
        self.assertFalse(result.ready)
        result.wait()

    def test_its_value_is_there_when_it_is_ready(self):
        result = rpyc.async_(self.first.modules.os.getpid)()
        result.wait()
        self.assertTrue(result.ready)
        self.assertEqual(result.value, self.second.modules.os.getpid())

    def test_two_calls_on_one_connection_run_one_after_the_other(self):
        def work():
            for result in [self.sleep(self.first), self.sleep(self.first)]:
                result.wait()

        self.assertGreaterEqual(seconds(work), 1)

    def test_two_calls_on_two_instances_run_at_the_same_time(self):
        def work():
            for result in [self.sleep(self.first), self.sleep(self.second)]:
                result.wait()

        self.assertLess(seconds(work), 0.9)

    def test_every_server_works_at_the_same_time(self):
        def work():
            for result in [self.sleep(g.rpyc_get_connection(server)) for server in self.servers]:
                result.wait()

        self.assertLess(seconds(work), 0.9)
