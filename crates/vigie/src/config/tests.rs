use super::*;

fn env(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn parse(text: &str, e: &[(&str, &str)], cli: &Overrides) -> anyhow::Result<Loaded> {
    Config::parse(text, &env(e), cli)
}

#[test]
fn nothing_configured_gives_the_documented_defaults() {
    let c = parse("", &[], &vec![]).unwrap().config;
    assert_eq!(c.http.listen.to_string(), "0.0.0.0:5000");
    assert_eq!(c.rtsp.listen.to_string(), "0.0.0.0:8554");
    assert_eq!((c.record.max_concurrent, c.record.default_duration_seconds), (10, 5400));
    assert_eq!(c.session.timeout_seconds, 7200);
    assert!(c.reconnect.probe && !c.rtsp.open && c.rtsp.trust_loopback);
}

#[test]
fn each_layer_wins_over_the_ones_below_it() {
    let file = "[tools]\nffmpeg = '/file'\n";
    let seed = ("FFMPEG_PATH", "/seed");
    let own = ("VIGIE_TOOLS_FFMPEG", "/own");
    let cli: Overrides = vec![("tools.ffmpeg", toml::Value::String("/cli".into()))];
    let ffmpeg = |e: &[(&str, &str)], cli: &Overrides| parse(file, e, cli).unwrap().config.tools.ffmpeg;
    assert_eq!(ffmpeg(&[], &vec![]), PathBuf::from("/file"));
    assert_eq!(ffmpeg(&[seed], &vec![]), PathBuf::from("/seed"));
    assert_eq!(ffmpeg(&[seed, own], &vec![]), PathBuf::from("/own"));
    assert_eq!(ffmpeg(&[seed, own], &cli), PathBuf::from("/cli"));
}

#[test]
fn a_port_alone_keeps_the_address_below_it() {
    let file = "[rtsp]\nlisten = '127.0.0.1:9000'\n";
    let rtsp = |e: &[(&str, &str)]| parse(file, e, &vec![]).unwrap().config.rtsp.listen.to_string();
    assert_eq!(rtsp(&[("RTSP_PORT", "8600")]), "127.0.0.1:8600");
    assert_eq!(rtsp(&[("RTSP_PORT", "8600"), ("VIGIE_RTSP", "[::1]:1")]), "[::1]:1");
}

#[test]
fn numbers_switches_and_lists_come_from_the_environment() {
    let c = parse(
        "",
        &[
            ("VIGIE_RECORD_MAX_CONCURRENT", "100"),
            ("VIGIE_RTSP_OPEN", "yes"),
            ("VIGIE_HTTP_CORS_ORIGINS", "http://a:1, http://b:2"),
        ],
        &vec![],
    )
    .unwrap()
    .config;
    assert_eq!(c.record.max_concurrent, 100);
    assert!(c.rtsp.open);
    assert_eq!(c.http.cors_origins, ["http://a:1", "http://b:2"]);
    let e = format!("{:#}", parse("", &[("VIGIE_RTSP_OPEN", "perhaps")], &vec![]).unwrap_err());
    assert!(e.contains("VIGIE_RTSP_OPEN"), "{e}");
}

#[test]
fn unknown_names_are_said_with_the_nearest_known_one() {
    let text =
        "[record]\nmax_concurent = 3\n[htpp]\nx = 1\n[[cameras]]\nslug = 'a'\nurl = 'testcard:'\npasword = 'x'\n";
    let w = parse(text, &[("VIGIE_RECORD_MAX_CONCURRENTS", "3")], &vec![]).unwrap().warnings.join("\n");
    for expected in ["`record.max_concurrent`", "`http`", "`password`", "VIGIE_RECORD_MAX_CONCURRENT?"] {
        assert!(w.contains(expected), "{expected} is missing in: {w}");
    }
}

#[test]
fn half_an_account_is_a_start_up_error() {
    let e = format!("{:#}", parse("", &[("RTSP_USER", "viewer")], &vec![]).unwrap_err());
    assert!(e.contains("rtsp.password"), "{e}");
    assert!(parse("[tls]\ncert = 'a.pem'\n", &[], &vec![]).is_err());
    assert!(parse("", &[("VIGIE_ADMIN_USERNAME", "admin")], &vec![]).is_err());
}

#[test]
fn an_error_does_not_quote_the_line_it_is_about() {
    for text in ["[rtsp]\nuser = 'u'\npassword = S3cr3t!x\n", "[rtsp]\npassword = 'S3cr3t!x'\nrtp_port = 'x'\n"] {
        let e = format!("{:#}", parse(text, &[], &vec![]).unwrap_err());
        assert!(!e.contains("S3cr3t"), "{e}");
    }
}

#[test]
fn declared_cameras_are_checked_together() {
    let two = "[[cameras]]\nslug = 'a'\nurl = 'testcard:'\n[[cameras]]\nslug = 'a'\nurl = 'testcard:'\n";
    assert!(format!("{:#}", parse(two, &[], &vec![]).unwrap_err()).contains("two [[cameras]]"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "S3cr3t!x\n").unwrap();
    let one = format!("[[cameras]]\nslug = 'a'\nurl = 'rtsp://h/'\npassword_file = '{}'\n", file.display());
    let c = parse(&one, &[], &vec![]).unwrap().config;
    assert_eq!(c.cameras[0].secret().unwrap().unwrap().reveal(), "S3cr3t!x");
}
