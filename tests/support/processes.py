"""Real `manage.py` processes on the test's own database, and browser tabs on real sockets."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import django_rq
from django.conf import settings
from django.db import connection
from django.test import Client
from websockets.sync.client import connect

from embedded.home import REPOSITORY, Home
from events import log


class Processes:
    """Starts `manage.py` commands on the test's database and kills what is left of them."""

    def __init__(self, output=None, **environment):
        home = Home.from_environment()
        database = connection.settings_dict["NAME"]
        self.environment = os.environ | {
            "DATABASE_URL": home.database_url(database),
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        self.output = output  # an open file for what they log; None: where the tests log
        django_rq.get_queue().empty()  # earlier tests rang for jobs whose rows are gone
        self.started = []

    def start(self, *command):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=self.output,
            stderr=self.output,
        )
        self.started.append(process)
        return process

    def serve(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = self.start("serve", "--port", str(port))
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2),
            ):
                return process, port
            assert process.poll() is None
            time.sleep(0.1)
        raise AssertionError("the web process does not answer")

    def end(self):
        for process in self.started:
            process.kill()
            process.wait()


def sign_in(user):
    """The session cookie of a browser in which the user has signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Tab:
    """A browser tab on a real socket."""

    def __init__(self, port, session):
        host = f"127.0.0.1:{port}"
        self.frames = []
        self.opening = connect(
            f"ws://{host}/ws/",
            origin=f"http://{host}",
            additional_headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"},
        )

    def __enter__(self):
        self.socket = self.opening.__enter__()
        return self

    def __exit__(self, *error):
        self.opening.__exit__(*error)

    def send(self, **frame):
        self.socket.send(json.dumps(frame))

    def until(self, wanted, seconds=90):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            frame = json.loads(self.socket.recv(timeout=seconds))
            self.frames.append(frame)
            if frame["type"] == "event":
                self.send(type="ack", stream=frame["stream"], seq=frame["seq"])
            if wanted(frame):
                return frame
        raise AssertionError("the frame did not come")

    @property
    def text(self):
        said = [f for f in self.frames if f.get("kind") == "text_delta"]
        return "".join(f["data"]["text"] for f in said)

    @property
    def last_seq(self):
        return max(f["seq"] for f in self.frames if f["type"] == "event")


def is_kind(*kinds):
    return lambda frame: frame.get("kind") in kinds or frame["type"] in kinds


def ask(tab, text="Numbers?"):
    tab.send(type="turn.start", id="1", text=text)
    return tab.until(is_kind("accepted", "refused"))["turn_id"]


def logged_text(turn):
    rows = log.read_all(turn)
    return "".join(row.payload["text"] for row in rows if row.kind == "text_delta")
