//! MJPEG cameras over HTTP, good and bad.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, Secret, StreamKey};
use vigie_hub::{Event, GapCause, Hub, Reason, Stream, SubscribeOptions};
use vigie_source::{ConnectionConfig, SourceError, SourceSpec, make, probe};

const PASSWORD: &str = "Tr0ub4dor";
const WITHIN: Duration = Duration::from_millis(500);
const MULTIPART: &str = "multipart/x-mixed-replace; boundary=\"--vigieboundary\"";

/// Headers and some data: as much of a picture as anybody on this side looks at.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut j = vec![0xff, 0xd8, 0xff, 0xc0, 0, 17, 8];
    j.extend(height.to_be_bytes());
    j.extend(width.to_be_bytes());
    j.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    j.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
    j.extend([0x55; 200]);
    j.extend([0xff, 0xd9]);
    j
}

struct Conn {
    tcp: TcpStream,
    requests: Arc<parking_lot::Mutex<Vec<String>>>,
}

impl Conn {
    async fn request(&mut self) -> Option<String> {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let mut b = [0];
            if self.tcp.read(&mut b).await.ok()? == 0 {
                return None;
            }
            text.push(b[0]);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        self.requests.lock().push(text.clone());
        Some(text)
    }

    async fn send(&mut self, bytes: &[u8]) -> Option<()> {
        self.tcp.write_all(bytes).await.ok()
    }

    async fn answer(&mut self, status: &str, headers: &str, body: &[u8]) -> Option<()> {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        self.send(head.as_bytes()).await?;
        self.send(body).await
    }

    async fn stream_head(&mut self, content_type: &str) -> Option<()> {
        self.send(format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n").as_bytes()).await
    }

    async fn part(&mut self, picture: &[u8]) -> Option<()> {
        self.send(b"--vigieboundary\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n").await?;
        self.send(picture).await?;
        self.send(b"\r\n").await
    }

    async fn parts_for_ever(&mut self) -> Option<()> {
        loop {
            self.part(&jpeg(640, 360)).await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

type Requests = Arc<parking_lot::Mutex<Vec<String>>>;

async fn camera<F, Fut>(behaviour: F) -> (u16, Requests)
where
    F: Fn(Conn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Requests::default();
    let r = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(behaviour(Conn { tcp, requests: Arc::clone(&r) }));
        }
    });
    (port, requests)
}

fn spec(url: &str, password: Option<&str>) -> SourceSpec {
    let config = ConnectionConfig {
        timeout_ms: u64::try_from(WITHIN.as_millis()).unwrap(),
        fps_limit: Some(50.0),
        ..ConnectionConfig::default()
    };
    let kind = if url.starts_with("https") { "https" } else { "http_mjpeg" };
    let credentials = password.map(|p| ("admin".to_owned(), Secret::new(p)));
    SourceSpec { kind: kind.into(), url: url.parse().unwrap(), credentials, config }
}

/// Runs until the source ends, or until this many pictures came.
async fn run(spec: &SourceSpec, pictures: usize) -> (Result<(), SourceError>, Arc<Stream>) {
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let mut cursor = stream.subscribe(SubscribeOptions::record(8 << 20));
    let cancel = CancellationToken::new();
    let mut source = make(spec).unwrap();
    let running = source.run(stream.standby(GapCause::SourceLost), cancel.clone());
    let counting = async {
        let mut n = 0;
        let mut last = None;
        while n < pictures {
            if let Event::Unit(u) = cursor.next().await.unwrap() {
                assert!(u.key && last.is_none_or(|l| u.pts > l));
                last = Some(u.pts);
                n += 1;
            }
        }
        cancel.cancel();
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        r = running => r,
        () = counting => unreachable!("counting never ends by itself"),
        () = tokio::time::sleep(Duration::from_secs(8)) => panic!("the source hangs"),
    };
    if let Err(e) = &result {
        assert!(!e.message.contains(PASSWORD) && !e.message.contains('\n') && e.message.len() < 400, "{}", e.message);
    }
    (result, stream)
}

async fn fails<F, Fut>(behaviour: F) -> SourceError
where
    F: Fn(Conn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Option<()>> + Send + 'static,
{
    let (port, _) = camera(behaviour).await;
    let started = Instant::now();
    let e = run(&spec(&format!("http://127.0.0.1:{port}/video"), Some(PASSWORD)), usize::MAX).await.0.unwrap_err();
    assert!(started.elapsed() < WITHIN * 4, "{:?}", started.elapsed());
    e
}

#[tokio::test]
async fn a_multipart_stream() {
    let (port, requests) = camera(|mut c| async move {
        c.request().await?;
        c.stream_head(MULTIPART).await?;
        c.parts_for_ever().await
    })
    .await;
    let spec = spec(&format!("http://127.0.0.1:{port}/video?x=1"), None);
    let (result, stream) = run(&spec, 20).await;
    assert_eq!(result, Ok(()));
    let video = stream.description().unwrap().video().unwrap().clone();
    assert_eq!((video.codec.name(), video.video().unwrap().width), ("mjpeg", 640));
    assert_eq!(requests.lock().len(), 1);
    assert!(requests.lock()[0].starts_with("GET /video?x=1 HTTP/1.1\r\n"));
    let report = probe(&spec, Duration::from_secs(5)).await.unwrap();
    assert_eq!((report.codec.as_str(), report.width, report.height), ("mjpeg", 640, 360));
    assert!(report.fps.is_some_and(|f| f > 10.0), "{report:?}");
}

#[tokio::test]
async fn single_pictures_are_fetched_at_the_asked_pace_and_a_new_size_is_described() {
    let (port, requests) = camera(|mut c| async move {
        loop {
            c.request().await?;
            let width = if c.requests.lock().len() > 5 { 1280 } else { 640 };
            c.answer("200 OK", "Content-Type: image/jpeg\r\n", &jpeg(width, 360)).await?;
        }
    })
    .await;
    let started = Instant::now();
    let (result, stream) = run(&spec(&format!("http://127.0.0.1:{port}/snap.jpg"), None), 10).await;
    assert_eq!(result, Ok(()));
    assert!(started.elapsed() >= Duration::from_millis(9 * 20), "50 pictures per second at most");
    assert!(requests.lock().len() >= 10);
    let d = stream.description().unwrap();
    assert_eq!((d.generation, d.video().unwrap().video().unwrap().width), (2, 1280));
}

#[tokio::test]
async fn passwords_basic_and_digest() {
    for (challenge, proof) in [
        ("Basic realm=\"cam\"", "Basic YWRtaW46VHIwdWI0ZG9y"),
        ("Digest realm=\"cam\", qop=\"auth\", nonce=\"abc\", algorithm=MD5", "uri=\"/video?x=1\""),
        ("Digest realm=\"cam\", nonce=\"abc\"", "Digest username=\"admin\""),
    ] {
        let (port, requests) = camera(move |mut c| async move {
            loop {
                let r = c.request().await?;
                if r.to_ascii_lowercase().contains("authorization:") && r.contains(proof) {
                    c.stream_head(MULTIPART).await?;
                    return c.parts_for_ever().await;
                }
                c.answer("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), b"no").await?;
            }
        })
        .await;
        let url = format!("http://127.0.0.1:{port}/video?x=1");
        assert_eq!(run(&spec(&url, Some(PASSWORD)), 3).await.0, Ok(()), "{challenge}");
        assert!(!requests.lock()[0].to_ascii_lowercase().contains("authorization"), "not before it is asked for");
        let (result, _) = run(&spec(&url, None), 3).await;
        assert_eq!(result.unwrap_err().reason, Reason::Auth);
    }
    let (port, requests) = camera(|mut c| async move {
        loop {
            c.request().await?;
            c.answer("401 Unauthorized", "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\"\r\n", b"").await?;
        }
    })
    .await;
    let (result, _) = run(&spec(&format!("http://127.0.0.1:{port}/"), Some(PASSWORD)), 1).await;
    assert_eq!(result.unwrap_err().reason, Reason::Auth);
    assert_eq!(requests.lock().len(), 2, "one try, not a loop");
}

#[tokio::test]
async fn redirects_are_followed_a_little_and_never_with_the_password_to_somebody_else() {
    let (other, seen_by_other) = camera(|mut c| async move {
        c.request().await?;
        c.stream_head(MULTIPART).await?;
        c.parts_for_ever().await
    })
    .await;
    let (port, _) = camera(move |mut c| async move {
        loop {
            let r = c.request().await?;
            let to = if r.starts_with("GET /here ") {
                "/there".to_owned()
            } else if r.starts_with("GET /there ") {
                format!("http://127.0.0.1:{other}/pictures")
            } else if r.starts_with("GET /metadata ") {
                "http://169.254.169.254/latest".to_owned()
            } else if r.starts_with("GET /file ") {
                "file:///etc/passwd".to_owned()
            } else {
                "/circle".to_owned()
            };
            c.answer("302 Found", &format!("Location: {to}\r\n"), b"").await?;
        }
    })
    .await;
    let at = |path: &str| spec(&format!("http://127.0.0.1:{port}/{path}"), Some(PASSWORD));
    assert_eq!(run(&at("here"), 3).await.0, Ok(()));
    assert!(!seen_by_other.lock()[0].to_ascii_lowercase().contains("authorization"));
    for (path, word) in [("circle", "circles"), ("metadata", "link-local"), ("file", "no HTTP address")] {
        let started = Instant::now();
        let e = run(&at(path), 1).await.0.unwrap_err();
        assert_eq!(e.reason, Reason::Protocol);
        assert!(e.message.contains(word), "{path}: {e}");
        assert!(started.elapsed() < WITHIN * 2);
    }
}

#[tokio::test]
async fn says_no() {
    for (status, reason, busy) in [
        ("404 Not Found", Reason::NotFound, false),
        ("403 Forbidden", Reason::Auth, false),
        ("503 Busy", Reason::Tcp, true),
        ("500 Oops", Reason::Protocol, false),
    ] {
        let e = fails(move |mut c| async move {
            c.request().await?;
            c.answer(status, "", b"").await
        })
        .await;
        assert_eq!((e.reason, e.busy), (reason, busy), "{status}: {e}");
    }
}

#[tokio::test]
async fn shows_a_web_page() {
    let e = fails(|mut c| async move {
        c.request().await?;
        c.answer("200 OK", "Content-Type: text/html\r\n", b"<html>log in</html>").await
    })
    .await;
    assert_eq!(e.reason, Reason::NoVideo, "{e}");
}

#[tokio::test]
async fn never_answers_or_never_sends() {
    let e = fails(|mut c| async move {
        while c.request().await.is_some() {}
        Some(())
    })
    .await;
    assert_eq!(e.reason, Reason::Timeout, "{e}");
    let e = fails(|mut c| async move {
        c.request().await?;
        c.stream_head(MULTIPART).await?;
        while c.request().await.is_some() {}
        Some(())
    })
    .await;
    assert_eq!(e.reason, Reason::NoVideo, "{e}");
}

#[tokio::test]
async fn speaks_no_http() {
    let e = fails(|mut c| async move {
        c.request().await?;
        c.send(b"RTSP/1.0 400 Bad Request\r\n\r\n").await
    })
    .await;
    assert_eq!(e.reason, Reason::Protocol, "{e}");
}

#[tokio::test]
async fn hangs_up_in_the_middle() {
    let e = fails(|mut c| async move {
        c.request().await?;
        c.stream_head(MULTIPART).await?;
        for _ in 0..5 {
            c.part(&jpeg(640, 360)).await?;
        }
        c.send(&jpeg(640, 360)[..50]).await
    })
    .await;
    assert_eq!(e.reason, Reason::Tcp, "{e}");
}

#[tokio::test]
async fn sends_endless_nonsense() {
    let e = fails(|mut c| async move {
        c.request().await?;
        c.stream_head("video/mp4").await?;
        c.send(&[0xff, 0xd8]).await?;
        loop {
            c.send(&[0; 65_536]).await?;
        }
    })
    .await;
    assert_eq!(e.reason, Reason::Protocol, "{e}");
}

#[tokio::test]
async fn nobody_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (result, _) = run(&spec(&format!("http://127.0.0.1:{port}/"), None), 1).await;
    assert_eq!(result.unwrap_err().reason, Reason::Tcp);
    let (result, _) = run(&spec("http://no-such-camera.invalid/", None), 1).await;
    assert_eq!(result.unwrap_err().reason, Reason::Dns);
}

#[tokio::test]
async fn https_wants_a_certificate_that_somebody_vouches_for() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let pem = dir.path().join("cam.pem");
    std::fs::write(&pem, format!("{}{}", key.signing_key.serialize_pem(), key.cert.pem())).unwrap();
    let server = "import ssl,socket,sys\n\
        c=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\nc.load_cert_chain(sys.argv[1])\n\
        s=socket.socket()\ns.bind(('127.0.0.1',0))\ns.listen()\nprint(s.getsockname()[1],flush=True)\n\
        while True:\n  k,_=s.accept()\n  try: c.wrap_socket(k,server_side=True)\n  except Exception: pass\n";
    let mut python = tokio::process::Command::new("/usr/bin/python3")
        .args(["-c", server])
        .arg(&pem)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = tokio::io::BufReader::new(python.stdout.take().unwrap());
    timeout(Duration::from_secs(10), tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line))
        .await
        .unwrap()
        .unwrap();
    let (result, _) = run(&spec(&format!("https://localhost:{}/", line.trim()), None), 1).await;
    let e = result.unwrap_err();
    assert_eq!(e.reason, Reason::Config, "{e}");
    assert!(e.message.contains("certificate"), "{e}");
}
