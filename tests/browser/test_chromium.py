"""What `make test` does before anything else: one browser that starts, however it is to be had."""

import chromium
import pytest


@pytest.mark.parametrize(("starts_after", "status"), [(0, 0), (1, 0), (2, 0), (3, 1)])
def test_each_way_is_tried_until_a_browser_starts(monkeypatch, capsys, starts_after, status):
    tried = []
    ways = (lambda: tried.append("download"), lambda: tried.append("package"))
    looks = iter(range(1, 9))
    monkeypatch.setattr(chromium, "starts", lambda: next(looks) > starts_after)
    assert chromium.main(ways) == status
    assert tried == ["download", "package"][:starts_after]
    assert ("SKIP_BROWSER=1" in capsys.readouterr().err) == (status == 1)


def test_a_browser_that_is_there_but_does_not_start_is_passed_over(monkeypatch, capsys, tmp_path):
    for name in chromium.NAMES:
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "ON_A_MAC", ())
    assert not chromium.starts()
    assert capsys.readouterr().err.count("does not start") == len(chromium.NAMES)
