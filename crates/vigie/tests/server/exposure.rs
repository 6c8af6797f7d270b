//! Who reaches the server, and who is let in: what the operator set, and nothing else (contract GEN-040, 046, 063, 064).

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Server, command, failure, ok, until};

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_says_where_a_request_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Server::start(&dir).await;
    let health = |s: &Server| s.client.get(format!("{}/health", s.http));
    let claimed = health(&plain).header("x-forwarded-for", "203.0.113.5").send().await.unwrap();
    assert_eq!(claimed.status(), 200, "nobody is trusted: the peer counts, and it is this machine");

    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.env("VIGIE_HTTP_TRUSTED_PROXIES", "127.0.0.0/8");
    let s = Server::start_with(c).await;
    let outside = health(&s).header("x-forwarded-for", "203.0.113.5").send().await.unwrap();
    let body: Value = outside.json().await.unwrap();
    assert_eq!(body["code"], json!("network_not_allowed"));
    assert!(body["error"].as_str().unwrap().contains("http.allowed_networks"), "{body}");
    let page = s.client.get(&s.http).header("x-forwarded-for", "203.0.113.5").send().await.unwrap();
    assert_eq!(page.status(), 403, "the pages are not for strangers either");
    for inside in ["192.168.7.9", "192.168.7.9, 127.0.0.1", "203.0.113.5, 192.168.7.9"] {
        assert_eq!(health(&s).header("x-forwarded-for", inside).send().await.unwrap().status(), 200, "{inside}");
    }
    // The log names the client, not the proxy.
    let body = json!({ "username": ADMIN, "password": "wrong" });
    let login =
        s.client.post(format!("{}/api/auth/login", s.http)).header("x-forwarded-for", "192.168.7.9").json(&body);
    assert_eq!(failure(login.send().await.unwrap()).await.0, 401);
    until("the refusal is logged", async || s.log().contains("address=192.168.7.9")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_in_answers_are_those_of_the_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.env("VIGIE_HTTP_TRUSTED_PROXIES", "127.0.0.1");
    let mut s = Server::start_with(c).await;
    s.sign_in().await;
    let camera = s.test_card("Court 1").await;
    s.session(camera).await;
    let list = s
        .request(Method::GET, "/api/video/session/list")
        .header("x-forwarded-for", "192.168.7.9")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "club.example");
    let list = ok(list.send().await.unwrap()).await;
    let session = &list["sessions"][0];
    assert!(session["preview"]["stream"].as_str().unwrap().starts_with("https://club.example/api/"), "{session}");
    assert!(session["preview"]["ws"].as_str().unwrap().starts_with("wss://club.example/api/"), "{session}");
    assert!(session["local_url"].as_str().unwrap().starts_with(&s.http), "the listener itself speaks HTTP: {session}");
    // A browser keeps what it got over TLS for TLS.
    let body = json!({ "username": ADMIN, "password": crate::harness::PASSWORD });
    let login = s.client.post(format!("{}/api/auth/login", s.http)).header("x-forwarded-proto", "https").json(&body);
    let login = login.send().await.unwrap();
    let cookies: Vec<&str> = login.headers().get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(cookies.len() == 2 && cookies.iter().all(|c| c.contains("; Secure")), "{cookies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_source_address_is_refused() {
    let may = Command::new("unshare").args(["-rn", "true"]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|s| s.success()) {
        eprintln!("no network namespaces for this user: only what a proxy says was tested");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let inner = command(dir.path());
    let mut c = Command::new("unshare");
    c.args(["-rn", "sh", "-c", "ip link set lo up && ip addr add 203.0.113.5/32 dev lo && exec \"$@\"", "sh"]);
    c.arg(inner.get_program()).args(inner.get_args()).args(["--http", "0.0.0.0:0"]).current_dir(dir.path());
    c.env("VIGIE_RTSP_RTP_PORT", "0").env("NO_COLOR", "1");
    // The command already names an address, and a further one is added to it: both listen.
    let s = Server::start_with(c).await;
    let address = || s.log().lines().find_map(|l| Some(l.split("address=0.0.0.0:").nth(1)?.trim().to_owned()));
    until("the other address is told", async || address().is_some()).await;
    let port = address().unwrap();
    let ask = |source: &str| {
        let out = Command::new("nsenter")
            .args([
                "--preserve-credentials",
                "-U",
                "-n",
                "-t",
                &s.pid().to_string(),
                "curl",
                "-s",
                "--interface",
                source,
            ])
            .args(["-w", "\n%{http_code}", &format!("http://{source}:{port}/health")])
            .output()
            .expect("nsenter and curl are installed");
        String::from_utf8(out.stdout).unwrap()
    };
    let refused = ask("203.0.113.5");
    assert!(refused.contains("network_not_allowed") && refused.ends_with("403"), "{refused}");
    assert!(ask("127.0.0.1").ends_with("200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_doors_are_open_at_this_machine_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.env("VIGIE_AUTH_MODE", "open");
    let s = Server::start_with(c).await;
    let me = s.get("/api/auth/me").await;
    assert_eq!((&me["user"]["username"], &me["user"]["role"]), (&json!("open"), &json!("SUPER_ADMIN")));
    assert!(me["banner"].is_string() && s.get("/api/health").await["banner"].is_string());
    assert_eq!(s.get("/api/setup").await["needed"], json!(false));
    assert!(s.log().contains("nobody has to sign in"));
    // A client that knows no sign-in does its work, pictures included.
    let camera = s.test_card("Court 1").await;
    let session = s.session(camera).await;
    for picture in [format!("/proxy/{session}/snapshot.jpg"), format!("/api/cameras/{camera}/snapshot.jpg")] {
        assert_eq!(s.request(Method::GET, &picture).send().await.unwrap().status(), 200, "{picture}");
    }
    // What a proxy passes on, or a page of another name asks, does not come from this machine.
    for (name, value) in [("x-forwarded-for", "127.0.0.1"), ("host", "evil.example")] {
        let r = s.client.get(format!("{}/api/cameras", s.http)).header(name, value).send().await.unwrap();
        assert_eq!(failure(r).await, (401, "unauthenticated".to_owned()), "{name}");
    }
    let foreign = s.client.post(format!("{}/api/video/cleanup", s.http)).header("origin", "http://evil.example");
    assert_eq!(failure(foreign.send().await.unwrap()).await, (403, "bad_origin".to_owned()));
}

#[test]
fn open_doors_to_other_machines_have_to_be_meant() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.args(["--http", "0.0.0.0:0"]).env("VIGIE_AUTH_MODE", "open");
    let out = c.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("--insecure-open"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn meant_open_doors_are_open_to_names_of_this_network_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.args(["--http", "0.0.0.0:0", "--insecure-open"]).env("VIGIE_AUTH_MODE", "open");
    let s = Server::start_with(c).await;
    for (host, status) in [("vigie.local", 200), ("192.168.7.9:5000", 200), ("evil.example", 401)] {
        let r = s.client.get(format!("{}/api/cameras", s.http)).header("host", host).send().await.unwrap();
        assert_eq!(r.status().as_u16(), status, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_everything_off_only_the_web_server_listens() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.env("VIGIE_RTSP_ENABLED", "false");
    let s = Server::start_with(c).await;
    let port: u16 = s.http.rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(listening(s.pid()), BTreeSet::from([("tcp", port)]));
    assert!(s.log().contains("rtsp=off"));

    let dir = tempfile::tempdir().unwrap();
    let both = Server::start(&dir).await;
    assert!(listening(both.pid()).iter().filter(|(kind, _)| *kind == "tcp").count() == 2, "the web server and RTSP");
}

/// Ports that a process listens on.
fn listening(pid: u32) -> BTreeSet<(&'static str, u16)> {
    let open: BTreeSet<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|f| std::fs::read_link(f.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|l| Some(l.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut out = BTreeSet::new();
    for (kind, table, state) in
        [("tcp", "tcp", "0A"), ("tcp", "tcp6", "0A"), ("udp", "udp", "07"), ("udp", "udp6", "07")]
    {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == state && open.contains(fields[9]) {
                let port = fields[1].rsplit(':').next().unwrap();
                out.insert((kind, u16::from_str_radix(port, 16).unwrap()));
            }
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_may_ask_when_the_operator_says_so() {
    let allow = async |env: Option<&str>| {
        let dir = tempfile::tempdir().unwrap();
        let mut c = command(dir.path());
        c.envs(env.map(|v| ("VIGIE_HTTP_CORS_ORIGINS", v)));
        let s = Server::start_with(c).await;
        let r = s.client.request(Method::OPTIONS, format!("{}/api/cameras", s.http));
        let r = r.header("origin", "http://localhost:5173").header("access-control-request-method", "GET");
        r.send().await.unwrap().headers().get("access-control-allow-origin").map(|v| v.to_str().unwrap().to_owned())
    };
    assert_eq!(allow(None).await, None);
    assert_eq!(allow(Some("http://localhost:5173")).await.as_deref(), Some("http://localhost:5173"));
}

#[test]
fn the_effective_configuration_is_shown_with_its_origin_and_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let serve = command(dir.path());
    let etc = dir.path().join("data/etc");
    std::fs::create_dir_all(&etc).unwrap();
    std::fs::write(etc.join("config.env"), "RTSP_USER=viewer\nRTSP_PASSWORD='S3cr3t!x'\nAP_PASSWORD=S3cr3t!y\n")
        .unwrap();
    let ask = |json: bool| {
        let mut c = Command::new(serve.get_program());
        c.arg("config").args(serve.get_args().skip(1)).args(["--seed-ports", "--set", "record.crf=20"]).env_clear();
        c.args(json.then_some("--json")).env("PROXY_BASE_PORT", "8180").env("FFMPEG_PATH", "/opt/ffmpeg");
        let out = c.output().unwrap();
        let (said, odd) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
        assert!(out.status.success() && !said.contains("S3cr3t") && !odd.contains("S3cr3t"), "{said}{odd}");
        assert!(odd.contains("AP_PASSWORD"), "{odd}");
        said
    };
    let v: Value = serde_json::from_str(&ask(true)).unwrap();
    for (key, value, from) in [
        ("rtsp.password", json!("********"), "RTSP_PASSWORD in "),
        ("compat.session_port_base", json!(8180), "the environment variable PROXY_BASE_PORT"),
        ("compat.session_ports", json!(true), "command line"),
        ("http.compat_ports", json!([5002, 8000]), "command line"),
        ("record.crf", json!(20), "command line"),
        ("tools.ffmpeg", json!("/opt/ffmpeg"), "the environment variable FFMPEG_PATH"),
        ("record.max_concurrent", json!(10), "default"),
    ] {
        assert_eq!(v[key]["value"], value, "{key}");
        assert!(v[key]["from"].as_str().unwrap().starts_with(from), "{key}: {}", v[key]["from"]);
    }
    let text = ask(false);
    assert!(text.lines().any(|l| l.starts_with("record.fps ") && l.ends_with("default")), "{text}");
}
