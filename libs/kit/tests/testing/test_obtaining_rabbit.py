"""A RabbitMQ is obtained or the tests fail with a way out; the servers themselves are proved in tests/connected."""

from pathlib import Path

import pytest

from kantis_kit.testing import rabbit, rabbit_server
from kantis_kit.testing.rabbit import URL_VARIABLE, obtain
from kantis_kit.testing.rabbit_server import RabbitUnavailable, free_port, run, speaks_amqp


def test_when_nothing_works_it_says_what_was_tried_and_how_to_mend_it(monkeypatch):
    def broken():
        raise RabbitUnavailable("the second reason")

    monkeypatch.delenv(URL_VARIABLE, raising=False)

    with pytest.raises(RabbitUnavailable) as failure:
        obtain((rabbit.given, broken))

    text = str(failure.value)
    for part in (URL_VARIABLE, "apt-get install", "Docker", "given: ", "broken: the second reason"):
        assert part in text


def test_a_given_server_is_taken_and_cannot_be_hurt(monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "amqp://user:secret@127.0.0.1:5672/")

    server = obtain()

    assert "amqp://user:secret@127.0.0.1:5672/" == server.url
    for hurt in (
        server.kill,
        server.stop_app,
        server.freeze,
        server.thaw,
        lambda: server.alarm(on=True),
    ):
        with pytest.raises(RabbitUnavailable, match="not ours"):
            hurt()
    server.close()


def test_the_first_way_that_works_is_taken(monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "amqp://127.0.0.1/")

    def never():
        raise AssertionError

    assert "amqp://127.0.0.1/" == obtain((rabbit.given, never)).url


def test_packages_need_root(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(RabbitUnavailable, match="not root"):
        rabbit.packaged()


def test_docker_needs_its_command(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)

    with pytest.raises(RabbitUnavailable, match="no docker"):
        rabbit.contained()


def test_an_installation_is_found_by_its_folder_and_not_by_a_wrapper(monkeypatch, tmp_path):
    monkeypatch.setattr(rabbit, "_PLACES", (str(tmp_path / "absent"), str(tmp_path)))
    monkeypatch.setenv("PATH", "/usr/sbin")
    assert rabbit._installation() is None

    for name in ("rabbitmq-server", "rabbitmqctl"):
        (tmp_path / name).touch()
    assert tmp_path == rabbit._installation()


def test_without_an_installation_it_says_where_it_looked(monkeypatch):
    monkeypatch.setattr(rabbit, "_installation", lambda: None)

    with pytest.raises(RabbitUnavailable, match="no rabbitmq-server in"):
        rabbit.installed()


def test_installing_starts_no_service_and_cleans_up(monkeypatch, tmp_path):
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(rabbit, "_POLICY", policy)

    with rabbit._services_stay_off(), pytest.raises(RabbitUnavailable, match="ended with 101"):
        run([str(policy)])
    assert not policy.exists()

    policy.write_text("theirs")
    with rabbit._services_stay_off():
        assert "theirs" == policy.read_text()
    assert "theirs" == policy.read_text()


def test_a_server_that_does_not_start_is_cleared_away_and_its_words_are_told(tmp_path, monkeypatch):
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    epmd, server_script = bin_dir / "epmd", bin_dir / "rabbitmq-server"
    epmd.write_text(
        '#!/bin/sh\nexec "$PYTHON" -c "import socket,sys,select\n'
        's=socket.create_server((\'127.0.0.1\', int(sys.argv[2])))\nselect.select([],[],[])" "$@"\n'
    )
    server_script.write_text("#!/bin/sh\necho the disk is on fire\nexit 3\n")
    for script in (epmd, server_script):
        script.chmod(0o755)
    made = rabbit_server.InstalledRabbit(bin_dir)
    environment = {**made._environment, "PYTHON": __import__("sys").executable}
    monkeypatch.setattr(rabbit_server.InstalledRabbit, "_environment", environment)

    with pytest.raises(RabbitUnavailable, match="the disk is on fire"):
        rabbit._started(made)

    assert not Path(made.folder).exists()
    assert not made.is_alive()


def test_ports_stay_below_those_of_outgoing_connections():
    assert 20_000 <= free_port() < 32_000


def test_a_port_that_nobody_listens_on_speaks_no_amqp():
    assert not speaks_amqp(free_port())


def test_a_command_that_is_missing_is_told():
    with pytest.raises(RabbitUnavailable, match="no-such-command"):
        run(["no-such-command"])
