use std::path::PathBuf;

use super::*;

/// Settings in files of their own folder, with the variables and the command line given.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(dir)
    }

    fn load(&self, env: &[(&str, &str)], cli: &Overrides) -> anyhow::Result<Loaded> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let files = Files { toml: self.0.path().join("vigie.toml"), named: false, etc: self.0.path().join("etc") };
        Config::load(&files, &env, cli)
    }
}

fn parse(text: &str, env: &[(&str, &str)], cli: &Overrides) -> anyhow::Result<Loaded> {
    Place::new(&[("vigie.toml", text)]).load(env, cli)
}

fn origin<'a>(loaded: &'a Loaded, key: &str) -> &'a str {
    loaded.effective.iter().find(|e| e.key == key).unwrap().from.as_deref().unwrap_or("default")
}

#[test]
fn nothing_configured_gives_the_documented_defaults() {
    let loaded = parse("", &[], &vec![]).unwrap();
    let c = &loaded.config;
    assert_eq!(c.http.listen, ["0.0.0.0:5000".parse().unwrap()]);
    assert_eq!(c.rtsp.listen.to_string(), "0.0.0.0:8554");
    assert_eq!((c.record.max_concurrent, c.record.default_duration_seconds), (10, 5400));
    assert_eq!((c.session.timeout_seconds, c.session.replay_seconds), (7200, 30));
    assert!(c.reconnect.probe && c.rtsp.enabled && !c.rtsp.open && c.rtsp.trust_loopback);
    assert_eq!(
        (c.record.encoder.as_str(), c.record.preset.as_str(), c.record.crf, c.record.fps),
        ("auto", "veryfast", 23, 25)
    );
    assert_eq!(c.compat.range(), 8080..=9080);
    assert!(c.http.trusted_proxies.is_empty() && !c.http.allowed_networks.is_empty());
    assert_eq!(c.auth.mode, AuthMode::Required);
    assert!(loaded.effective.iter().all(|e| e.from.is_none()));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn each_layer_wins_over_the_ones_below_it() {
    let place = Place::new(&[
        ("vigie.toml", "[tools]\nffmpeg = '/file'\n"),
        ("etc/config.env", "FFMPEG_PATH=/shell\n"),
        ("etc/config.json", r#"{"tools": {"ffmpeg": "/json"}}"#),
    ]);
    let seed = ("FFMPEG_PATH", "/seed");
    let own = ("VIGIE_TOOLS_FFMPEG", "/own");
    let cli: Overrides = vec![("tools.ffmpeg", toml::Value::String("/cli".into()))];
    let ffmpeg = |e: &[(&str, &str)], cli: &Overrides| {
        let loaded = place.load(e, cli).unwrap();
        (loaded.config.tools.ffmpeg.display().to_string(), origin(&loaded, "tools.ffmpeg").to_owned())
    };
    let path = |name: &str| place.0.path().join(name);
    assert_eq!(ffmpeg(&[seed, own], &cli), ("/cli".into(), "command line".into()));
    assert_eq!(ffmpeg(&[seed, own], &vec![]), ("/own".into(), "the environment variable VIGIE_TOOLS_FFMPEG".into()));
    assert_eq!(ffmpeg(&[seed], &vec![]), ("/seed".into(), "the environment variable FFMPEG_PATH".into()));
    assert_eq!(ffmpeg(&[], &vec![]), ("/file".into(), path("vigie.toml").display().to_string()));
    std::fs::remove_file(path("vigie.toml")).unwrap();
    let shell = format!("FFMPEG_PATH in {}", path("etc/config.env").display());
    assert_eq!(ffmpeg(&[], &vec![]), ("/shell".into(), shell));
    std::fs::remove_file(path("etc/config.env")).unwrap();
    assert_eq!(ffmpeg(&[], &vec![]), ("/json".into(), path("etc/config.json").display().to_string()));
    std::fs::remove_file(path("etc/config.json")).unwrap();
    assert_eq!(ffmpeg(&[], &vec![]), ("ffmpeg".into(), "default".into()));
}

#[test]
fn a_port_alone_keeps_the_address_below_it() {
    let file = "[rtsp]\nlisten = '127.0.0.1:9000'\n[http]\nlisten = ['127.0.0.1:1', '[::1]:2']\n";
    let rtsp = |e: &[(&str, &str)]| parse(file, e, &vec![]).unwrap().config.rtsp.listen.to_string();
    assert_eq!(rtsp(&[("RTSP_PORT", "8600")]), "127.0.0.1:8600");
    assert_eq!(rtsp(&[("RTSP_PORT", "8600"), ("VIGIE_RTSP", "[::1]:1")]), "[::1]:1");
    assert_eq!(
        rtsp(&[("VIGIE_RTSP_PORT", "8600"), ("VIGIE_RTSP", "[::1]:1")]),
        "[::1]:1",
        "the full address says more"
    );
    let http = |e: &[(&str, &str)]| parse(file, e, &vec![]).unwrap().config.http.listen;
    assert_eq!(http(&[("VIGIE_HTTP_PORT", "80")]), ["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()]);
    assert_eq!(parse("[http]\nport = 80\n", &[], &vec![]).unwrap().config.http.listen, ["0.0.0.0:80".parse().unwrap()]);
    assert!(parse("[http]\nport = 70000\n", &[], &vec![]).is_err());
}

#[test]
fn numbers_switches_and_lists_come_from_the_environment() {
    let e = [
        ("VIGIE_RECORD_MAX_CONCURRENT", "100"),
        ("VIGIE_RTSP_OPEN", "yes"),
        ("VIGIE_HTTP_CORS_ORIGINS", "http://a:1, http://b:2"),
        ("VIGIE_HTTP_COMPAT_PORTS", "5002,8000"),
        ("VIGIE_HTTP", "127.0.0.1:1,[::1]:2"),
        ("VIGIE_HTTP_TRUSTED_PROXIES", "10.0.0.1, fd00::/8"),
    ];
    let c = parse("[http]\nallowed_networks = ['0.0.0.0/0']\n", &e, &vec![]).unwrap().config;
    assert_eq!(c.record.max_concurrent, 100);
    assert!(c.rtsp.open);
    assert_eq!(c.http.cors_origins, ["http://a:1", "http://b:2"]);
    assert_eq!((c.http.compat_ports, c.http.listen.len()), (vec![5002, 8000], 2));
    assert_eq!(c.http.trusted_proxies, ["10.0.0.1/32".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    assert_eq!(c.http.allowed_networks, ["0.0.0.0/0".parse().unwrap()]);
    let none = parse("[http]\nallowed_networks = ['0.0.0.0/0']\n", &[("VIGIE_HTTP_ALLOWED_NETWORKS", "")], &vec![]);
    assert!(none.unwrap().config.http.allowed_networks.is_empty(), "a list can be emptied");
    let e = format!("{:#}", parse("", &[("VIGIE_RTSP_OPEN", "perhaps")], &vec![]).unwrap_err());
    assert!(e.contains("VIGIE_RTSP_OPEN"), "{e}");
    assert!(!parse("", &[("VIGIE_RTSP_OPEN", "")], &vec![]).unwrap().config.rtsp.open, "empty is not set");
}

#[test]
fn every_key_of_the_older_systems_arrives() {
    let shell = "VIDEOS_DIR=/v\nLOGS_DIR=/l\nFFMPEG_PATH=/f\nFFPROBE_PATH=/p\nDEFAULT_DURATION_SECONDS=600\n\
        MAX_CONCURRENT_RECORDINGS=3\nSESSION_TIMEOUT_SECONDS=60\nPROXY_BASE_PORT=8180\nVIDEO_FPS=30\n\
        PADELVAR_VIDEO_CODEC=libx264\nPADELVAR_VIDEO_PRESET=fast\nPADELVAR_VIDEO_CRF=20\nPADELVAR_VIDEO_FPS=50\n";
    let check = |loaded: Loaded| {
        let c = loaded.config;
        assert_eq!((c.paths.videos, c.paths.video_logs), (PathBuf::from("/v"), PathBuf::from("/l")));
        assert_eq!((c.tools.ffmpeg, c.tools.ffprobe), (PathBuf::from("/f"), PathBuf::from("/p")));
        assert_eq!((c.record.default_duration_seconds, c.record.max_concurrent), (600, 3));
        assert_eq!((c.session.timeout_seconds, c.compat.range()), (60, 8180..=9180));
        assert_eq!((c.record.encoder.as_str(), c.record.preset.as_str()), ("libx264", "fast"));
        assert_eq!((c.record.crf, c.record.fps), (20, 50));
        loaded.warnings
    };
    let warnings = check(Place::new(&[("etc/config.env", shell)]).load(&[], &vec![]).unwrap());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].ends_with("not known and ignored: VIDEO_FPS"), "{warnings:?}");
    let env: Vec<(&str, &str)> = shell.lines().map(|l| l.split_once('=').unwrap()).collect();
    check(parse("", &env, &vec![]).unwrap());
    let lines = shell.lines().map(|l| l.trim_start_matches("PADELVAR_").split_once('=').unwrap());
    let json: serde_json::Map<_, _> = lines.map(|(k, v)| (k.to_owned(), v.into())).collect();
    let json = serde_json::json!({ "padelvar": json }).to_string();
    check(Place::new(&[("etc/config.json", &json)]).load(&[], &vec![]).unwrap());
}

#[test]
fn a_folder_of_the_older_systems_is_relative_to_where_the_program_runs() {
    let here = std::env::current_dir().unwrap();
    let c = parse("", &[("VIDEOS_DIR", "static/videos")], &vec![]).unwrap().config;
    assert_eq!(c.paths.videos, here.join("static/videos"));
    let own = parse("", &[("VIGIE_PATHS_VIDEOS", "clips")], &vec![]).unwrap().config;
    assert_eq!(own.paths.videos, PathBuf::from("clips"), "ours is relative to the media folder");
}

#[test]
fn the_folder_of_the_older_files_can_be_elsewhere() {
    let elsewhere = Place::new(&[("config.env", "MAX_CONCURRENT_RECORDINGS=7\n")]);
    let folder = elsewhere.0.path().display().to_string();
    let c = parse(&format!("[paths]\netc = '{folder}'\n"), &[], &vec![]).unwrap().config;
    assert_eq!(c.record.max_concurrent, 7);
    assert_eq!(parse("", &[("VIGIE_PATHS_ETC", &folder)], &vec![]).unwrap().config.record.max_concurrent, 7);
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
fn unknown_lines_of_the_older_file_are_said_once_and_without_their_values() {
    let shell = "WIFI_PASSWORD=S3cr3t!x\nAP_SSID=club\nthis is S3cr3t!y\nRTSP_USER=u\nRTSP_PASSWORD=S3cr3t!z\n";
    let loaded = Place::new(&[("etc/config.env", shell)]).load(&[], &vec![]).unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    let said = loaded.warnings.join("\n") + &format!("{:?}{:?}", loaded.effective, loaded.config);
    assert!(said.contains("line 3") && said.contains("AP_SSID, WIFI_PASSWORD"), "{said}");
    assert!(!said.contains("S3cr3t"), "{said}");
    assert_eq!(loaded.config.rtsp.password.unwrap().reveal(), "S3cr3t!z");
}

#[test]
fn half_an_account_is_a_start_up_error() {
    let e = format!("{:#}", parse("", &[("RTSP_USER", "viewer")], &vec![]).unwrap_err());
    assert!(e.contains("rtsp.password"), "{e}");
    assert!(parse("[tls]\ncert = 'a.pem'\n", &[], &vec![]).is_err());
    assert!(parse("", &[("VIGIE_ADMIN_USERNAME", "admin")], &vec![]).is_err());
}

#[test]
fn doors_that_stand_open_to_others_have_to_be_meant() {
    let open = |more: &str, cli: &Overrides| parse(&format!("[auth]\nmode = 'open'\n{more}"), &[], cli);
    let said = open("", &vec![]).unwrap_err().to_string();
    assert!(said.contains("--insecure-open") && said.contains("0.0.0.0:5000"), "{said}");
    assert!(open("", &vec![("auth.insecure_open", true.into())]).is_ok());
    assert!(open("[http]\nlisten = ['127.0.0.1:0', '[::1]:0']\n", &vec![]).is_ok());
    assert!(open("[http]\nlisten = ['127.0.0.1:0', '192.0.2.1:0']\n", &vec![]).is_err());
}

#[test]
fn what_makes_no_sense_is_refused_by_its_name() {
    for (text, name) in [
        ("[record]\ncrf = 52\n", "record.crf"),
        ("[record]\nfps = 0\n", "record.fps"),
        ("[record]\nencoder = 'h263'\n", "record.encoder"),
        ("[record]\npreset = 'hasty'\n", "record.preset"),
        ("[record]\nvideo_mode = 'maybe'\n", "record.video_mode"),
        ("[record]\nmax_concurrent = 'many'\n", "record.max_concurrent"),
        ("[session]\nreplay_seconds = 121\n", "session.replay_seconds"),
        ("[compat]\nsession_ports = true\nsession_port_last = 8000\n", "session_port_last"),
        ("[http]\nlisten = []\n", "http.listen"),
        ("[http]\nallowed_networks = ['10.0.0.0/33']\n", "10.0.0.0/33"),
        ("[http]\nallowed_networks = [true]\n", "http.allowed_networks"),
        ("record = 5\n", "record"),
    ] {
        let said = format!("{:#}", parse(text, &[], &vec![]).unwrap_err());
        assert!(said.contains(name), "{text}: {said}");
    }
    let broken = Place::new(&[("etc/config.json", "{\"tools\": ")]).load(&[], &vec![]).unwrap_err();
    assert!(format!("{broken:#}").contains("config.json"), "{broken:#}");
    let files = Files { toml: PathBuf::from("/nowhere/vigie.toml"), named: true, etc: PathBuf::from("/nowhere") };
    assert!(Config::load(&files, &Environment::new(), &vec![]).is_err(), "a named file has to be there");
}

#[test]
fn an_error_does_not_quote_the_line_it_is_about() {
    for text in [
        "[rtsp]\nuser = 'u'\npassword = S3cr3t!x\n",
        "[rtsp]\npassword = 'S3cr3t!x'\nrtp_port = 'x'\n",
        "[rtsp]\nuser = 'u'\npassword = ['S3cr3t!x']\n",
    ] {
        let e = format!("{:#}", parse(text, &[], &vec![]).unwrap_err());
        assert!(!e.contains("S3cr3t"), "{e}");
    }
    for text in ["{\"rtsp\": {\"password\": \"S3cr3t!x\" oops", "{\"rtsp\": {\"password\": [\"S3cr3t!x\"]}}"] {
        let e = format!("{:#}", Place::new(&[("etc/config.json", text)]).load(&[], &vec![]).unwrap_err());
        assert!(!e.contains("S3cr3t"), "{e}");
    }
}

#[test]
fn a_secret_is_shown_as_stars() {
    let loaded = parse("[rtsp]\nuser = 'u'\npassword = 'S3cr3t!x'\n", &[], &vec![]).unwrap();
    let shown = loaded.effective.iter().find(|e| e.key == "rtsp.password").unwrap();
    assert_eq!(shown.value, Some(toml::Value::String("********".to_owned())));
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
