"""``heap-assets alerts test`` as a user runs it: one message, an exit code, no secret."""

import os
import subprocess
import sys

from heap_assets_tests.fault_proxy import free_port
from heap_assets_tests.receiver import Receiver, receiver


def alerts_test(folder, urls: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from heap_assets.cli.commands import main; main()", "alerts", "test"],
        cwd=folder,
        env={**os.environ, "HEAP_ALERT_URLS": urls, "HEAP_UI_URL": "http://dagster.example.com"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_destination_gets_one_message(tmp_path):
    with receiver() as chat, receiver() as other:
        code, shown = alerts_test(tmp_path, f"{chat.url} {other.url}")
        assert code == 0, shown
        assert chat.titles() == other.titles() == ["heap_assets: a test"]
        assert "http://dagster.example.com" in chat.messages[0]["message"]
    assert shown.count("sent") == 2
    assert Receiver.SECRET not in shown


def test_a_destination_that_does_not_take_it_is_named_without_its_secret(tmp_path):
    code, shown = alerts_test(tmp_path, f"json://127.0.0.1:{free_port()}/{Receiver.SECRET}")
    assert code == 1
    assert "not taken" in shown
    assert Receiver.SECRET not in shown


def test_an_address_of_no_service_and_no_address_at_all_are_wrong_settings(tmp_path):
    code, shown = alerts_test(tmp_path, f"nosuch://{Receiver.SECRET}")
    assert (code, Receiver.SECRET in shown) == (2, False)
    assert "address 1 (nosuch://...)" in shown
    code, shown = alerts_test(tmp_path, "")
    assert code == 2
    assert "HEAP_ALERT_URLS is not set" in shown
