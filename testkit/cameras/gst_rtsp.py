#!/usr/bin/python3
"""An RTSP camera that nobody here wrote: GStreamer's RTSP server with a test picture and a test tone.

Prints one line once it can be connected to:

    listening port=PORT url=rtsp://127.0.0.1:PORT/cam

and serves until SIGTERM, SIGINT, or until its standard input is closed (so that it never outlives the test that
started it, however that ends).

Examples:

    gst_rtsp.py --codec h264 --audio aac --gop 50
    gst_rtsp.py --codec h265 --size 640x360 --auth digest --user admin --password secret
    gst_rtsp.py --codec mjpeg --audio pcma --transport udp --port 8554
"""

import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--codec", choices=["h264", "h265", "mjpeg", "none"], default="h264", help="pictures")
    p.add_argument("--audio", choices=["none", "aac", "pcma", "pcmu", "opus"], default="none", help="sound")
    p.add_argument("--size", default="320x240", help="WIDTHxHEIGHT")
    p.add_argument("--fps", type=int, default=25)
    p.add_argument("--gop", type=int, default=25, help="frames from one key frame to the next")
    p.add_argument("--bframes", type=int, default=0, help="B-frames in a row (h264 only)")
    p.add_argument("--bitrate", type=int, default=500, help="kbit/s of the pictures")
    p.add_argument("--auth", choices=["none", "basic", "digest"], default="none")
    p.add_argument("--user", default="admin")
    p.add_argument("--password", default="secret")
    p.add_argument("--transport", choices=["any", "tcp", "udp"], default="any", help="what the server accepts")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0, help="0 takes a free one")
    p.add_argument("--path", default="/cam")
    return p.parse_args()


def video(a):
    width, height = a.size.split("x")
    source = (
        f"videotestsrc is-live=true pattern=ball ! video/x-raw,width={width},height={height},framerate={a.fps}/1 "
        "! videoconvert ! video/x-raw,format=I420 "
    )
    if a.codec == "h264":
        tune = "tune=zerolatency" if a.bframes == 0 else ""
        profile = "main" if a.bframes else "constrained-baseline"
        return (
            source
            + f"! x264enc {tune} speed-preset=ultrafast bitrate={a.bitrate} key-int-max={a.gop} bframes={a.bframes} "
            f"b-adapt=false sliced-threads=false threads=1 ! video/x-h264,profile={profile} ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 "
        )
    if a.codec == "h265":
        return (
            source
            + f"! x265enc tune=zerolatency speed-preset=ultrafast bitrate={a.bitrate} key-int-max={a.gop} "
            "option-string=pools=1:frame-threads=1:scenecut=0 ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96 "
        )
    return source + "! jpegenc quality=70 ! rtpjpegpay name=pay0 pt=26 "


def audio(a, number):
    name = f"name=pay{number} pt={97 + number}"
    tone = "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample "
    if a.audio == "aac":
        return (
            tone + "! audio/x-raw,rate=48000,channels=2 ! avenc_aac bitrate=64000 ! aacparse "
            f"! audio/mpeg,stream-format=raw ! rtpmp4gpay {name} "
        )
    if a.audio == "opus":
        return tone + f"! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay {name} "
    encoder, payloader, pt = {"pcma": ("alawenc", "rtppcmapay", 8), "pcmu": ("mulawenc", "rtppcmupay", 0)}[a.audio]
    return tone + f"! audio/x-raw,rate=8000,channels=1 ! {encoder} ! {payloader} name=pay{number} pt={pt} "


def protect(a, server, factory):
    """Demand a password with the chosen scheme, and say who may do what."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if a.auth == "basic":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(a.user, a.password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(a.user, a.password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("user")
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("user", permission, True)
    factory.set_permissions(permissions)


def main():
    a = arguments()
    Gst.init(None)
    parts = [video(a)] if a.codec != "none" else []
    if a.audio != "none":
        parts.append(audio(a, len(parts)))
    if not parts:
        sys.exit("a camera without pictures and without sound has nothing to send")

    server = GstRtspServer.RTSPServer()
    server.set_address(a.host)
    server.set_service(str(a.port))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch("( " + "".join(parts) + ")")
    # One encoder for all clients, as a camera has it; it goes on when the first client leaves.
    factory.set_shared(True)
    factory.set_latency(0)
    protocols = {
        "tcp": GstRtsp.RTSPLowerTrans.TCP,
        "udp": GstRtsp.RTSPLowerTrans.UDP,
        "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
    }
    factory.set_protocols(protocols[a.transport])
    if a.auth != "none":
        protect(a, server, factory)
    server.get_mount_points().add_factory(a.path, factory)

    loop = GLib.MainLoop()
    if server.attach(None) == 0:
        sys.exit(f"port {a.port} cannot be opened")
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)

    def on_input(_channel, condition):
        if condition & GLib.IOCondition.HUP or not sys.stdin.buffer.read1(4096):
            loop.quit()
            return False
        return True

    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_input)
    # Forget clients that vanished, as cameras do.
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)

    port = server.get_bound_port()
    print(f"listening port={port} url=rtsp://{a.host}:{port}{a.path}", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
