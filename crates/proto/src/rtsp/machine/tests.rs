use super::*;
use crate::rtsp::{Input, Parser};

fn request(text: &str) -> Request {
    let mut p = Parser::default();
    p.push(text.replace('\n', "\r\n").as_bytes());
    match p.next() {
        Ok(Some(Input::Request(r))) => r,
        other => panic!("{other:?}"),
    }
}

fn ask(m: &mut Machine, line: &str, headers: &str) -> Ask {
    let r = request(&format!("{line} RTSP/1.0\nCSeq: 1\n{headers}\n"));
    match Machine::screen(&r) {
        Ok(target) => m.handle(&r, target),
        Err(answer) => Ask::Answer(answer),
    }
}

fn status(a: Ask) -> u16 {
    match a {
        Ask::Answer(r) => r.status.code(),
        other => panic!("not an answer: {other:?}"),
    }
}

const T: &str = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\n";

/// A session with these tracks set up.
fn ready(tracks: &[u8]) -> Machine {
    let mut m = Machine::default();
    for &track in tracks {
        let Ask::Setup(target, _) = ask(&mut m, &format!("SETUP rtsp://h/a/trackID={track}"), T) else { panic!() };
        let setup = TrackSetup { track, transport: Chosen::Tcp(2 * track, 2 * track + 1) };
        let r = m.set_up(&target, setup, 2, "RTP/AVP/TCP".into(), || "abc".into());
        assert_eq!(r.get("Session"), Some("abc;timeout=60"));
    }
    m
}

#[test]
fn requests_that_are_wrong_by_themselves() {
    for (text, code) in [
        ("PLAY rtsp://h/a RTSP/2.0\nCSeq: 1\n\n", 505),
        ("PLAY rtsp://h/a RTSP/1.0\n\n", 400),
        ("PLAY rtsp://h/a RTSP/1.0\nCSeq: x\n\n", 400),
        ("PLAY http://h/a RTSP/1.0\nCSeq: 1\n\n", 400),
        ("DANCE rtsp://h/a RTSP/1.0\nCSeq: 1\n\n", 501),
        ("ANNOUNCE rtsp://h/a RTSP/1.0\nCSeq: 1\n\n", 405),
        ("RECORD rtsp://h/a RTSP/1.0\nCSeq: 1\n\n", 405),
        ("DESCRIBE rtsp://h/a RTSP/1.0\nCSeq: 1\nRequire: onvif-replay\n\n", 551),
        ("OPTIONS * RTSP/1.0\nCSeq: 1\n\n", 200),
    ] {
        assert_eq!(Machine::screen(&request(text)).unwrap_err().status.code(), code, "{text}");
    }
    let r = Machine::screen(&request("SETUP rtsp://h/a RTSP/1.0\nCSeq: 1\nRequire: x-y\n\n")).unwrap_err();
    assert_eq!(r.get("Unsupported"), Some("x-y"));
    let r = Machine::screen(&request("RECORD rtsp://h/a RTSP/1.0\nCSeq: 1\n\n")).unwrap_err();
    assert!(r.get("Allow").unwrap().contains("PLAY"));
}

#[test]
fn methods_that_are_not_valid_in_the_state() {
    let mut m = Machine::default();
    for method in ["PLAY", "PAUSE", "TEARDOWN"] {
        assert_eq!(status(ask(&mut m, &format!("{method} rtsp://h/a"), "")), 455);
        assert_eq!(status(ask(&mut m, &format!("{method} rtsp://h/a"), "Session: nope\n")), 454);
    }
    let mut m = ready(&[0]);
    assert_eq!(status(ask(&mut m, "PAUSE rtsp://h/a", "Session: abc\n")), 455);
    assert_eq!(ask(&mut m, "PLAY rtsp://h/a", "Session: abc\n"), Ask::Play);
    m.played(&[]);
    assert_eq!(status(ask(&mut m, "SETUP rtsp://h/a/trackID=1", &format!("Session: abc\n{T}"))), 455);
    assert_eq!(ask(&mut m, "PLAY rtsp://h/a", "Session: abc;timeout=60\n"), Ask::Play);
    assert_eq!(ask(&mut m, "PAUSE rtsp://h/a", "Session: abc\n"), Ask::Pause);
    m.paused();
    assert_eq!(m.state(), State::Ready);
    assert_eq!(status(ask(&mut m, "PLAY rtsp://h/a", "Session: xyz\n")), 454);
    assert_eq!(status(ask(&mut m, "PLAY rtsp://h/a", "")), 454);
    assert_eq!(ask(&mut m, "TEARDOWN rtsp://h/a", "Session: abc\n"), Ask::Teardown);
    assert_eq!(m.torn_down().get("Session"), Some("abc;timeout=60"));
    assert_eq!(status(ask(&mut m, "PLAY rtsp://h/a", "Session: abc\n")), 454);
}

#[test]
fn tracks_and_aggregates() {
    let mut m = ready(&[0, 1]);
    assert_eq!(status(ask(&mut m, "PLAY rtsp://h/a/trackID=0", "Session: abc\n")), 460);
    assert_eq!(status(ask(&mut m, "PLAY rtsp://h/b", "Session: abc\n")), 404);
    assert_eq!(status(ask(&mut m, "SETUP rtsp://h/b/trackID=0", &format!("Session: abc\n{T}"))), 459);
    assert_eq!(status(ask(&mut m, "SETUP rtsp://h/a/trackID=0", "Session: abc\n")), 400);
    assert_eq!(m.channels(), [0, 1, 2, 3]);
    let mut m = ready(&[1]);
    assert_eq!(ask(&mut m, "PLAY rtsp://h/a/trackID=1", "Session: abc\n"), Ask::Play);
}

#[test]
fn ranges_of_a_live_stream() {
    let mut m = ready(&[0]);
    for good in
        ["npt=now-", "npt=0.000-", "npt=-", "npt=0-", "npt=12.5-20", "npt=00:01:02.5-", "npt=0-;time=19970123T143720Z"]
    {
        assert_eq!(ask(&mut m, "PLAY rtsp://h/a", &format!("Session: abc\nRange: {good}\n")), Ask::Play, "{good}");
    }
    for bad in ["npt=5-2", "npt=x-", "npt", "smpte=0:10:00-", "clock=19961108T142300Z-", "", "npt=inf-"] {
        assert_eq!(status(ask(&mut m, "PLAY rtsp://h/a", &format!("Session: abc\nRange: {bad}\n"))), 457, "{bad}");
    }
}

#[test]
fn parameters_are_signs_of_life_and_nothing_else() {
    let mut m = ready(&[0]);
    for method in ["GET_PARAMETER", "SET_PARAMETER"] {
        let Ask::Answer(r) = ask(&mut m, &format!("{method} rtsp://h/a"), "Session: abc\n") else { panic!() };
        assert_eq!((r.status.code(), r.get("Session")), (200, Some("abc;timeout=60")));
        let mut r = request(&format!("{method} rtsp://h/a RTSP/1.0\nCSeq: 1\nContent-Length: 4\n\nx: y"));
        let target = Machine::screen(&r).unwrap();
        assert_eq!(status(m.handle(&r, target.clone())), 451);
        r.headers.push(("Session".into(), "gone".into()));
        assert_eq!(status(m.handle(&r, target)), 454);
    }
}

#[test]
fn the_first_packets_are_announced() {
    let mut m = ready(&[0, 1]);
    let r = m.played(&[(0, Some(7), Some(90_000)), (1, Some(3), None)]);
    assert_eq!(r.get("RTP-Info"), Some("url=rtsp://h/a/trackID=0;seq=7;rtptime=90000,url=rtsp://h/a/trackID=1;seq=3"));
    assert_eq!(r.get("Range"), Some("npt=now-"));
    assert_eq!(m.played(&[(0, None, None)]).get("RTP-Info"), None);
}

#[test]
fn how_to_join_is_remembered_from_the_description() {
    let mut m = Machine::default();
    let Ask::Describe(t) = ask(&mut m, "DESCRIBE rtsp://h/a?join=key", "Accept: application/sdp\n") else { panic!() };
    let r = m.described(&t, "v=0\r\n".into());
    assert_eq!(r.get("Content-Base"), Some("rtsp://h/a/"));
    let Ask::Setup(t, offers) = ask(&mut m, "SETUP rtsp://h/a/trackID=0", T) else { panic!() };
    assert_eq!(offers, [Offer::Tcp(Some((0, 1)))]);
    m.set_up(&t, TrackSetup { track: 0, transport: Chosen::Tcp(0, 1) }, 1, String::new(), || "x".into());
    assert_eq!(m.join(), Some(Join::Key));
    assert_eq!(status(ask(&mut m, "DESCRIBE rtsp://h/a", "Accept: text/html\n")), 406);
}
