"""What the edge knows, asked inside of nginx, where no request gets: it is full, or begins anew between two looks."""

import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from campushub360.local import CHECKOUT
from campushub360.local.engine import free_port
from campushub360.local.packages import find_program
from campushub360.local.stack.nginx import MODULES
from tests.local.conftest import eventually

pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx", "libnginx-mod-http-lua")]

# Tags are moved until there is no room for another; then, in a life that has room for a few more, one of them is moved
# again and again, which is remembered as well.
IN_A_SMALL_PLACE = """
    local state = require "edge_state"
    local function life()
        state.begin()
        state.trust(state.now() + 100)
        return state.life()
    end
    local room, began = 0, life()
    while state.life() == began do
        room = room + 1
        state.raise("- tag:" .. room)
    end
    began = life()
    for tag = 1, room - 10 do
        state.raise("- tag:" .. tag)
    end
    ngx.print(state.life() == began and "full;" or "anew;")
    for _ = 1, room do
        state.raise("- tag:1")
    end
    local forgotten = 0
    for tag = 1, room - 10 do
        forgotten = forgotten + (state.read({ "tag:" .. tag }) == "0" and 1 or 0)
    end
    ngx.print(state.life() ~= began and "anew" or ("forgotten: " .. forgotten))
"""
# The caller's tags are read first, then the resource's: a life begins between the two if `?anew` says so; and with
# `?forgotten`, another worker has emptied what is known, as it does when it begins one.
ASKED = """
    local state, request = require "edge_state", require "edge_request"
    local read, number = state.read, 0
    state.begin()
    state.trust(state.now() + 100)
    state.read = function(tags)
        number = number + 1
        if number == 2 and ngx.var.arg_anew then
            state.begin()
        end
        return read(tags)
    end
    local stood_still = state.stood_still
    state.stood_still = function(...)
        if ngx.var.arg_forgotten then
            ngx.shared.edge_known:flush_all()
        end
        return stood_still(...)
    end
    local exec, place = ngx.exec, "off"
    ngx.exec = function(location)
        place = location
    end
    request.before_asking()
    request.after_asking()
    state.read, state.stood_still, ngx.exec = read, stood_still, exec
    ngx.print(place)
"""
# As many answers are kept as would take four times the room, and one of them is asked for all the time.
KEPT = """
    local memory, last = require "edge_memory", 4096
    memory.keep("asked for", "often", {})
    for number = 1, last do
        memory.keep("answer " .. number, ("%08d"):format(number):rep(4096), {})
        memory.get("asked for")
    end
    collectgarbage()
    for _, key in ipairs({ "answer " .. last, "answer 1", "asked for" }) do
        ngx.print(tostring(memory.get(key) ~= nil), " ")
    end
    ngx.print(collectgarbage("count") * 1024)
"""
CONFIGURATION = """
include /etc/nginx/modules-enabled/*.conf;
%(user)s
pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log warn;
events {}
http {
    access_log off;
    lua_package_path "%(edge)s/?.lua;;";
    lua_shared_dict edge_counters 64k;
    lua_shared_dict edge_known 1m;
    lua_shared_dict edge_commits 1m;
    init_by_lua_block { require("edge_naming").prepare() }
    server {
        listen 127.0.0.1:%(port)s;
        location = /alive { return 204; }
        location = /small { content_by_lua_block { %(small)s } }
        location = /kept { content_by_lua_block { %(kept)s } }
        location = /api/v1/campuses/ {
            set $edge_key "";
            set $edge_keep "";
            set $edge_caller "today 30 shared own account:1";
            set $edge_resources "/api/v1/campuses/ all departments.campus";
            content_by_lua_block { %(asked)s }
        }
    }
}
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Return a function that asks an nginx which has the edge's program and nothing behind it."""
    folder, port = tmp_path_factory.mktemp("state"), free_port()
    (folder / "modules").symlink_to(MODULES)
    user = "user root;" if os.geteuid() == 0 else ""
    filled = {"folder": folder, "edge": CHECKOUT / "deploy" / "edge", "port": port, "user": user}
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION % (filled | {"small": IN_A_SMALL_PLACE, "kept": KEPT, "asked": ASKED}))
    command = [str(find_program("nginx")), "-c", str(file), "-p", str(folder), "-g", "daemon off;"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ask(path: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": "Bearer one"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())

    def is_up() -> bool:
        try:
            return ask("/alive") == ""
        except OSError:
            return False

    try:
        is_running = eventually(lambda: server.poll() is not None or is_up()) and server.poll() is None
        assert is_running, (folder / "error.log").read_text()
        yield ask
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_an_edge_without_room_for_what_moved_begins_anew_and_forgets_no_tag(ask: Callable[[str], str]) -> None:
    assert ask("/small") == "full;anew"


def test_no_answer_is_looked_up_by_the_counters_of_another_life(ask: Callable[[str], str]) -> None:
    assert ask("/api/v1/campuses/") == "@edge_look_up"
    assert ask("/api/v1/campuses/?anew=1") == "off"


def test_what_is_forgotten_while_it_is_learnt_is_asked_of_the_application(ask: Callable[[str], str]) -> None:
    assert ask("/api/v1/campuses/?forgotten=1") == "off"


def test_what_a_worker_keeps_in_memory_is_bounded_by_its_bytes(ask: Callable[[str], str]) -> None:
    latest, first, often, taken = ask("/kept").split()

    assert (latest, first, often) == ("true", "false", "true")
    assert float(taken) < 40 << 20
