from __future__ import annotations

import gc
import os
import threading

import pytest

from alyx_client.runtime.collector import COLLECTOR_PAUSE, CollectorPause


def test_collector_is_enabled_after_the_last_of_several_pauses() -> None:
    pause = CollectorPause()
    with pause:
        with pause:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collector_that_was_disabled_stays_so() -> None:
    gc.disable()
    try:
        with CollectorPause():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_collector_is_enabled_in_a_fork_made_while_another_thread_parses() -> None:
    parsing, forked = threading.Event(), threading.Event()

    def parse() -> None:
        with COLLECTOR_PAUSE:
            parsing.set()
            forked.wait(30)

    thread = threading.Thread(target=parse)
    thread.start()
    assert parsing.wait(30)
    child = os.fork()
    if child == 0:
        was_enabled = gc.isenabled()
        with COLLECTOR_PAUSE:
            is_paused = not gc.isenabled()
        os._exit(0 if was_enabled and is_paused and gc.isenabled() else 1)
    forked.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert gc.isenabled()
