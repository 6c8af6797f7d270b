#!/usr/bin/python3
"""An MJPEG camera over HTTP: pictures that FFmpeg made, sent the way cameras send them.

Prints one line once it can be connected to:

    listening port=PORT url=http://127.0.0.1:PORT/

and serves until its standard input is closed. Paths, all with the same pictures:

    /video      multipart, as in the books
    /wrong      multipart whose announced boundary is not the one that is sent
    /bare       multipart with dashes already in the announced boundary, and parts without a length
    /still      one picture per request
"""

import argparse
import http.server
import itertools
import subprocess
import sys
import threading
import time


def pictures(size):
    """One second of a moving picture, as JPEG files."""
    made = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15", "-frames:v", "15"]
        + ["-c:v", "mjpeg", "-q:v", "5", "-huffman", "default", "-pix_fmt", "yuvj420p", "-f", "image2pipe", "-"],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return [b"\xff\xd8" + part for part in made.split(b"\xff\xd8")[1:]]


class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    frames = []
    counter = itertools.count()

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/still":
            picture = self.frames[next(self.counter) % len(self.frames)]
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)
            return
        announced, sent = {
            "/video": ("picture", "--picture"),
            "/wrong": ("picture", "--another"),
            "/bare": ("--picture", "--picture"),
        }.get(path, (None, None))
        if announced is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={announced}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        due = time.monotonic()
        try:
            for picture in itertools.cycle(self.frames):
                length = "" if path == "/bare" else f"Content-Length: {len(picture)}\r\n"
                head = f"{sent}\r\nContent-Type: image/jpeg\r\n{length}\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                due += 1 / 15
                time.sleep(max(0, due - time.monotonic()))
        except OSError:
            pass  # The viewer left.

    def log_message(self, *_):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", default="320x240", help="WIDTHxHEIGHT")
    p.add_argument("--port", type=int, default=0, help="0 takes a free one")
    a = p.parse_args()
    Camera.frames = pictures(a.size)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", a.port), Camera)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening port={server.server_port} url=http://127.0.0.1:{server.server_port}/", flush=True)
    while sys.stdin.buffer.read1(4096):
        pass


if __name__ == "__main__":
    main()
