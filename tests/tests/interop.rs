//! Cameras and clients that nobody here wrote, with Vigie between them: what goes in comes out, everywhere, unharmed.

use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use vigie_tests::{Child, GstCamera, HttpCamera, Vigie, ffprobe, ffprobe_json, require, until};

/// Generous: the machine may be busy.
const LONG: Duration = Duration::from_secs(25);

/// What a camera is, and what has to come out.
struct Kind {
    options: &'static [&'static str],
    /// Over RTSP.
    codecs: &'static [&'static str],
    /// In the file.
    recorded: &'static [&'static str],
    /// What to compare the copied pictures by: FFmpeg's options that leave only them. None where they are not copied,
    /// or where the camera serves only one of two clients that want different tracks.
    same: Option<&'static [&'static str]>,
}

const H264: &[&str] = &["-c", "copy", "-bsf:v", "h264_mp4toannexb,filter_units=remove_types=7-9"];
const H265: &[&str] = &["-c", "copy", "-bsf:v", "hevc_mp4toannexb,filter_units=remove_types=32-35"];

#[test]
fn h264_and_aac() -> Result<()> {
    let options = &["--codec", "h264", "--audio", "aac"];
    through(&Kind { options, codecs: &["h264", "aac"], recorded: &["h264", "aac"], same: Some(H264) })
}

#[test]
fn h264_with_b_frames_and_aac() -> Result<()> {
    let options = &["--codec", "h264", "--bframes", "2", "--audio", "aac"];
    through(&Kind { options, codecs: &["h264", "aac"], recorded: &["h264", "aac"], same: Some(H264) })
}

#[test]
fn h265_and_g711_mu_law() -> Result<()> {
    // G.711 becomes AAC in the file, which plays everywhere.
    let options = &["--codec", "h265", "--audio", "pcmu"];
    through(&Kind { options, codecs: &["hevc", "pcm_mulaw"], recorded: &["hevc", "aac"], same: Some(H265) })
}

#[test]
fn mjpeg() -> Result<()> {
    // In the file it is H.264, which browsers play.
    through(&Kind { options: &["--codec", "mjpeg"], codecs: &["mjpeg"], recorded: &["h264"], same: None })
}

#[test]
fn h264_and_opus() -> Result<()> {
    let options = &["--codec", "h264", "--audio", "opus"];
    through(&Kind { options, codecs: &["h264", "opus"], recorded: &["h264", "opus"], same: Some(H264) })
}

#[test]
fn h264_and_g711_a_law() -> Result<()> {
    let options = &["--codec", "h264", "--audio", "pcma"];
    through(&Kind { options, codecs: &["h264", "pcm_alaw"], recorded: &["h264", "aac"], same: Some(H264) })
}

/// Everything that can be had from one camera, most of it at the same time.
fn through(kind: &Kind) -> Result<()> {
    require("ffmpeg")?;
    let mut options = kind.options.to_vec();
    options.extend(["--gop", "25"]);
    let camera = GstCamera::start(&options)?;
    let direct = format!("rtsp://127.0.0.1:{}/cam", camera.port);
    let vigie = Vigie::start("", &[])?;
    let id = vigie.add_camera(&json!({"name": "Interop", "primary_stream_url": direct}))?;
    let url = vigie.rtsp_url("interop");

    let session = vigie.open_session(id)?;
    // What the camera sends, taken down by somebody else, from before the recording until after it.
    let sent = vigie.data_dir().join("sent");
    let mut capture = None;
    if let Some(same) = kind.same {
        let mut c = ffmpeg(&["-rtsp_transport", "tcp", "-i", &direct, "-map", "0:v"]);
        c.args(same).args(["-flush_packets", "1", "-f", "framemd5", "-y"]).arg(&sent);
        capture = Some(Child::spawn(quiet(c))?);
        until("the camera is taken down", LONG, || Ok((hashes(&sent)?.len() > 30).then_some(())))?;
    }

    let before = Instant::now();
    let a = vigie.post("/api/video/record/start", &json!({"session_id": session, "duration_minutes": 5}))?;
    ensure!(a.status == 200, "start: {a:?}");
    let started = Instant::now();

    let clients = std::thread::scope(|s| {
        let in_pairs: Vec<_> = [("tcp", "interop".to_owned()), ("udp", format!("session/{session}"))]
            .into_iter()
            .map(|(carrier, path)| {
                let (vigie, codecs) = (&vigie, kind.codecs);
                s.spawn(move || over(&vigie.rtsp_url(&path), carrier, codecs))
            })
            .collect();
        let pictures = s.spawn(|| pictures(&vigie, id));
        let mut all: Vec<_> = in_pairs.into_iter().map(|t| t.join()).collect();
        all.push(pictures.join());
        all
    });
    for client in clients {
        client.map_err(|_| anyhow::anyhow!("a client's thread panicked"))??;
    }
    until("four seconds are recorded", LONG, || {
        let s = vigie.get(&format!("/api/video/record/status/{session}"))?.body["status"].clone();
        Ok((s["frames"].as_u64() > Some(100)).then_some(()))
    })?;
    let a = vigie.post("/api/video/record/stop", &json!({"session_id": session}))?;
    // The answers take their time too.
    let wall = started.elapsed().as_secs_f64()..before.elapsed().as_secs_f64();
    ensure!(a.status == 200, "stop: {a:?}");
    let path = a.body["video_path"].as_str().context("video_path")?;
    finished_file(path, &wall, kind)?;

    ensure!(ffprobe(&url, &["-rtsp_transport", "tcp"])? == kind.codecs, "the stream goes on after the recording");
    let Some((same, mut capture)) = kind.same.zip(capture) else { return Ok(()) };

    let copied = file_hashes(path, same)?;
    let last = copied.last().context("an empty file")?;
    until("the camera's own pictures are known as far", LONG, || Ok(hashes(&sent)?.contains(last).then_some(())))?;
    capture.kill()?;
    let sent = hashes(&sent)?;
    let first = sent.iter().position(|h| Some(h) == copied.first()).context("the first picture was never sent")?;
    let same = sent[first..].iter().zip(&copied).take_while(|(a, b)| a == b).count();
    ensure!(same == copied.len(), "of {} recorded pictures, {same} are what the camera sent", copied.len());
    Ok(())
}

/// FFmpeg and GStreamer as players.
fn over(url: &str, carrier: &str, codecs: &[&str]) -> Result<()> {
    let found = ffprobe(url, &["-rtsp_transport", carrier])?;
    ensure!(found == codecs, "{carrier}: {found:?} instead of {codecs:?}");
    let times = decoded(&["-rtsp_transport", carrier], url, 55)?;
    ensure!(times.len() == 55, "{carrier}: {} pictures decoded", times.len());
    ensure!(times.windows(2).all(|w| w[0] < w[1]), "{carrier}: time runs backwards: {times:?}");
    require("gst-launch-1.0")?;
    let mut gst = Command::new("timeout");
    gst.args(["25", "gst-launch-1.0", "-q", "rtspsrc", "name=s"])
        .args([&format!("location={url}"), &format!("protocols={carrier}"), "latency=100"])
        .args(["s.", "!", "application/x-rtp,media=video", "!", "decodebin", "!", "videoconvert", "!"])
        .args(["video/x-raw,format=I420", "!", "fdsink", "fd=1"]);
    if codecs.len() > 1 {
        // Sound that nobody takes is an error to rtspsrc when it comes before the first picture.
        gst.args(["s.", "!", "application/x-rtp,media=audio", "!", "fakesink"]);
    }
    let mut gst = gst.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut pictures = gst.stdout.take().context("no pipe")?.take(25 * 320 * 240 * 3 / 2);
    let bytes = std::io::copy(&mut pictures, &mut std::io::sink())?;
    // Nobody reads on: it ends.
    let enough = pictures.limit() == 0;
    drop(pictures);
    let said = gst.wait_with_output()?.stderr;
    ensure!(enough, "GStreamer over {carrier}: {bytes} bytes: {}", String::from_utf8_lossy(&said));
    Ok(())
}

/// Pictures over HTTP.
fn pictures(vigie: &Vigie, id: i64) -> Result<()> {
    let still = vigie.data_dir().join("still.jpg");
    std::fs::write(&still, vigie.download(&format!("/api/cameras/{id}/snapshot.jpg"))?)?;
    let probed = ffprobe_json(still.to_str().context("path")?, &[])?;
    let s = &probed["streams"][0];
    ensure!(s["codec_name"] == "mjpeg" && s["width"] == 320 && s["height"] == 240, "snapshot: {s}");

    let header = format!("Authorization: Bearer {}\r\n", vigie.token());
    let moving = format!("{}/api/cameras/{id}/stream.mjpeg?fps=5", vigie.http);
    let times = decoded(&["-headers", &header, "-f", "mpjpeg"], &moving, 6)?;
    ensure!(times.len() == 6, "stream.mjpeg: {} pictures", times.len());
    Ok(())
}

/// A recording that is over: what is in it, how long it is, and how it is built.
fn finished_file(path: &str, wall: &Range<f64>, kind: &Kind) -> Result<()> {
    let probed = ffprobe_json(path, &[])?;
    let codecs: Vec<_> = probed["streams"].as_array().context("streams")?.iter().map(|s| &s["codec_name"]).collect();
    ensure!(codecs == kind.recorded, "the file has {codecs:?}");
    let duration: f64 = probed["format"]["duration"].as_str().context("duration")?.parse()?;
    let fits = (wall.start - 0.5..wall.end + 0.5).contains(&duration);
    ensure!(fits, "{duration} s in the file, {wall:?} s on the clock");
    let out = ffmpeg(&["-i", path, "-f", "null", "-"]).output()?;
    ensure!(out.status.success() && out.stderr.is_empty(), "decoding it: {}", String::from_utf8_lossy(&out.stderr));
    let boxes = top_level_boxes(&std::fs::read(path)?)?;
    let at = |name: &str| boxes.iter().position(|b| b == name);
    ensure!(at("moof").is_none() && at("moov").is_some() && at("moov") < at("mdat"), "boxes: {boxes:?}");
    Ok(())
}

fn top_level_boxes(file: &[u8]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let (head, _) = rest.split_at_checked(8).context("half a box")?;
        let name = String::from_utf8_lossy(&head[4..]).into_owned();
        let size = match u32::from_be_bytes(head[..4].try_into()?) {
            0 => rest.len(),
            1 => usize::try_from(u64::from_be_bytes(rest.get(8..16).context("half a box")?.try_into()?))?,
            n => usize::try_from(n)?,
        };
        rest = rest.get(size.max(8)..).with_context(|| format!("{name} is longer than the file"))?;
        found.push(name);
    }
    Ok(found)
}

fn ffmpeg(args: &[&str]) -> Command {
    let mut c = Command::new("timeout");
    c.args(["60", "ffmpeg", "-v", "error", "-nostdin"]).args(args);
    c
}

fn quiet(mut c: Command) -> Command {
    c.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    c
}

/// The times of `count` pictures that FFmpeg decodes without a word of complaint, in seconds.
fn decoded(options: &[&str], url: &str, count: u32) -> Result<Vec<f64>> {
    let mut c = ffmpeg(options);
    c.args(["-i", url, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "1:90000"]);
    let out = c.args(["-frames:v", &(count + 1).to_string(), "-f", "framemd5", "-"]).output()?;
    let complaints = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success() && complaints.trim().is_empty(), "ffmpeg {options:?}: {complaints}");
    times(&String::from_utf8_lossy(&out.stdout))
}

/// Presentation times in seconds of FFmpeg's `framemd5`.
fn times(text: &str) -> Result<Vec<f64>> {
    let mut unit = 1.0;
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(tb) = line.strip_prefix("#tb 0: ") {
            let (a, b) = tb.split_once('/').context("time base")?;
            unit = a.trim().parse::<f64>()? / b.trim().parse::<f64>()?;
        } else if !line.starts_with('#') {
            all.push(line.split(',').nth(2).context("pts")?.trim().parse::<f64>()? * unit);
        }
    }
    // FFmpeg does not know the time of the first picture of any RTSP server, and guesses.
    Ok(all.split_off(1.min(all.len())))
}

/// Hashes in a `framemd5` file that may still grow.
fn hashes(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path)?;
    let whole = text.rsplit_once('\n').map_or("", |(w, _)| w);
    Ok(whole.lines().filter(|l| !l.starts_with('#')).filter_map(hash).collect())
}

/// Side data may follow it on the line.
fn hash(line: &str) -> Option<String> {
    Some(line.split(',').nth(5)?.trim().to_owned())
}

fn file_hashes(path: &str, same: &[&str]) -> Result<Vec<String>> {
    let mut c = ffmpeg(&["-i", path, "-map", "0:v"]);
    let out = c.args(same).args(["-f", "framemd5", "-"]).output()?;
    ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout)?;
    Ok(text.lines().filter(|l| !l.starts_with('#')).filter_map(hash).collect())
}

#[test]
fn flash_and_beep_come_together() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let card = "testcard:?width=320&height=180&fps=25&gop=25&bitrate=800";
    vigie.add_camera(&json!({"name": "Card", "connection_type": "testcard", "primary_stream_url": card}))?;
    for carrier in ["tcp", "udp"] {
        let (light, sound) = (vigie.data_dir().join("light"), vigie.data_dir().join("sound"));
        let out = ffmpeg(&["-rtsp_transport", carrier, "-i", &vigie.rtsp_url("card"), "-t", "5"])
            .args(["-vf", &format!("signalstats,metadata=print:key=lavfi.signalstats.YAVG:file={}", light.display())])
            .args(["-af", &format!("asetnsamples=240,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file={}", sound.display())])
            .args(["-f", "null", "-"])
            .output()?;
        ensure!(out.status.success() && out.stderr.is_empty(), "{carrier}: {}", String::from_utf8_lossy(&out.stderr));
        let ((flashes, _), (beeps, heard_until)) = (onsets(&light, None)?, onsets(&sound, Some(-40.0))?);
        // Of a flash at the very end FFmpeg may not have taken the sound any more.
        let flashes: Vec<f64> = flashes.into_iter().filter(|f| f + 0.2 < heard_until).collect();
        let offsets: Vec<f64> = flashes
            .iter()
            .filter_map(|f| beeps.iter().map(|b| f - b).min_by(|a, b| a.abs().total_cmp(&b.abs())))
            .collect();
        ensure!(offsets.len() >= 3, "{carrier}: flashes {flashes:?}, beeps {beeps:?}");
        ensure!(offsets.iter().all(|o| o.abs() <= 0.080), "{carrier}: picture minus sound: {offsets:?}");
    }
    Ok(())
}

/// When the values that FFmpeg printed rise over a threshold, by default half way between the least and the greatest; and
/// the time of the last value.
fn onsets(path: &Path, threshold: Option<f64>) -> Result<(Vec<f64>, f64)> {
    let (mut at, mut all) = (0.0, Vec::new());
    for line in std::fs::read_to_string(path)?.lines() {
        if let Some((_, t)) = line.split_once("pts_time:") {
            at = t.trim().parse::<f64>()?;
        } else if let Some((_, v)) = line.split_once('=') {
            all.push((at, v.trim().parse::<f64>().unwrap_or(f64::NEG_INFINITY)));
        }
    }
    let least = all.iter().map(|v| v.1).fold(f64::INFINITY, f64::min);
    let most = all.iter().map(|v| v.1).fold(f64::NEG_INFINITY, f64::max);
    let threshold = threshold.unwrap_or((least + most) / 2.0);
    let rises = all.windows(2).filter(|w| w[0].1 < threshold && w[1].1 >= threshold);
    Ok((rises.map(|w| w[1].0).collect(), at))
}

#[test]
fn jpegs_over_http_however_they_are_sent() -> Result<()> {
    let camera = HttpCamera::start()?;
    let vigie = Vigie::start("", &[])?;
    for path in ["video", "wrong", "bare", "still"] {
        let url = format!("http://127.0.0.1:{}/{path}", camera.port);
        let id = vigie.add_camera(&json!({"name": path, "slug": format!("http-{path}"), "primary_stream_url": url}))?;
        let found = ffprobe(&vigie.rtsp_url(&format!("http-{path}")), &["-rtsp_transport", "tcp"])?;
        ensure!(found == ["mjpeg"], "{path}: {found:?}");
        let times = decoded(&["-rtsp_transport", "udp"], &vigie.rtsp_url(&format!("cam/{id}")), 8)?;
        ensure!(times.len() == 8 && times.windows(2).all(|w| w[0] < w[1]), "{path}: {times:?}");
        pictures(&vigie, id).with_context(|| path.to_owned())?;
    }
    let a = vigie.post("/api/cameras/test", &json!({"url": format!("http://127.0.0.1:{}/none", camera.port)}))?;
    ensure!(a.body["result"]["error_code"] == "not_found", "{a:?}");
    Ok(())
}

#[test]
fn files_play_round_and_round() -> Result<()> {
    require("ffmpeg")?;
    let vigie = Vigie::start("", &[])?;
    let names = ["loop.mp4", "loop.mkv", "loop.ts"];
    let first = vigie.data_dir().join(names[0]);
    let out = ffmpeg(&["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-f", "lavfi", "-i", "sine=r=48000"])
        .args(["-t", "3", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p"])
        .args(["-c:a", "aac"])
        .arg(&first)
        .output()?;
    ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    std::thread::scope(|s| -> Result<()> {
        let mut threads = Vec::new();
        for name in names {
            let path = vigie.data_dir().join(name);
            if path != first {
                let out = ffmpeg(&["-i"]).arg(&first).args(["-c", "copy"]).arg(&path).output()?;
                ensure!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
            }
            let (vigie, ext) = (&vigie, name.trim_start_matches("loop."));
            threads.push(s.spawn(move || {
                let slug = format!("file-{ext}");
                vigie.add_camera(&json!({"name": slug, "slug": slug, "url": format!("file://{}", path.display())}))?;
                looped(&vigie.rtsp_url(&slug)).context(slug)
            }));
        }
        for t in threads {
            t.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(())
    })
}

/// One and a half loops and more of a file of three seconds, decoded; sound taken along.
fn looped(url: &str) -> Result<()> {
    let codecs = ffprobe(url, &["-rtsp_transport", "tcp"])?;
    ensure!(codecs == ["h264", "aac"], "{codecs:?}");
    let out = ffmpeg(&["-rtsp_transport", "tcp", "-i", url, "-map", "0:v", "-map", "0:a", "-t", "5.5"])
        .args(["-fps_mode", "passthrough", "-enc_time_base:v", "1:90000", "-f", "framemd5", "-"])
        .output()?;
    let complaints = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success() && complaints.trim().is_empty(), "{complaints}");
    let text = String::from_utf8(out.stdout)?;
    let of = |track: &str| -> Result<Vec<f64>> {
        let keep = |l: &&str| l.starts_with(&format!("#tb {track}")) || l.starts_with(&format!("{track},"));
        let lines: Vec<_> = text.lines().filter(keep).map(|l| l.replace(&format!("#tb {track}:"), "#tb 0:")).collect();
        times(&lines.join("\n"))
    };
    for (track, most) in [("0", 0.085), ("1", 0.085)] {
        let t = of(track)?;
        let (first, last) = t.first().zip(t.last()).context("nothing")?;
        ensure!(last - first > 4.5, "track {track}: only {} s", last - first);
        if let Some(w) = t.windows(2).find(|w| w[1] <= w[0] || w[1] - w[0] > most) {
            bail!("track {track}: from {} to {}", w[0], w[1]);
        }
    }
    Ok(())
}

#[test]
fn cameras_that_ask_for_a_password() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    for method in ["basic", "digest"] {
        let camera = GstCamera::start(&["--auth", method, "--user", "admin", "--password", "p@ss:w/rd"])?;
        let at = format!("127.0.0.1:{}/cam", camera.port);
        let with = |p: &str| json!({"name": method, "url": format!("rtsp://{at}"), "username": "admin", "password": p});
        let a = vigie.post("/api/cameras/test", &with("p@ss:w/rd"))?;
        ensure!(a.body["result"]["success"] == true && a.body["result"]["codec"] == "h264", "{method}: {a:?}");
        for wrong in [with("wrong"), json!({"name": method, "url": format!("rtsp://{at}")})] {
            let a = vigie.post("/api/cameras/test", &wrong)?;
            ensure!(a.body["result"]["success"] == false, "{method}: {a:?}");
            ensure!(a.body["result"]["error_code"] == "auth", "{method}: {a:?}");
        }

        let id = vigie.add_camera(&with("wrong"))?;
        let a = vigie.post("/api/video/session/create", &json!({"camera_id": id}))?;
        ensure!(a.status >= 400 && reason(&a.body) == Some("auth"), "{method}: {a:?}");
        let url = format!("rtsp://admin:p%40ss%3Aw%2Frd@{at}");
        let a = vigie.send_json("PATCH", &format!("/api/cameras/{id}"), &json!({"url": url}))?;
        ensure!(a.status == 200, "{method}: {a:?}");
        let codecs = ffprobe(&vigie.rtsp_url(&format!("cam/{id}")), &["-rtsp_transport", "tcp"])?;
        ensure!(codecs == ["h264"], "{method}: {codecs:?}");
        vigie.open_session(id)?;
        ensure!(!vigie.log_text().contains("p@ss") && !vigie.log_text().contains("p%40ss"), "the password is logged");
    }
    Ok(())
}

fn reason(body: &Value) -> Option<&str> {
    body["details"]["reason"].as_str()
}
