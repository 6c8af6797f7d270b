//! Marked moments and their clips.

use std::time::Duration;

use vigie_control::Kind;
use vigie_control::markers::NewMark;
use vigie_control::recordings::{FileQuery, PartQuery};
use vigie_store::RecordingKind;

use crate::courts::Clubs;
use crate::house::until;

fn clip() -> NewMark {
    NewMark { seconds: Some(10.0), label: Some(" smash ".into()), clip: true, ..NewMark::default() }
}

#[tokio::test]
async fn a_moment_of_a_recording_is_marked_with_a_clip() {
    let c = Clubs::new().await;
    let (markers, recordings) = (&c.house.control.markers, &c.house.control.recordings);
    let id = c.session(&c.player, 0).await;
    let started = recordings.start(&c.player, &id, None, None).await.unwrap();
    until(async || recordings.status(&c.player, &id).await.unwrap().frames >= 30).await;
    let mut notices = c.house.control.events.subscribe();
    let marked = markers.mark(&c.player, &id, clip()).await.unwrap();
    let (m, clip) = (marked.marker, marked.clip.unwrap());
    assert_eq!((m.recording_id, m.label.as_deref()), (Some(started.recording_id), Some("smash")));
    assert_eq!((m.clip_recording_id, m.user_id), (Some(clip.recording_id), Some(c.player.user_id.0)));
    assert!(m.offset_seconds.is_some_and(|o| (1.0..30.0).contains(&o)), "{m:?}");
    assert!(clip.duration_seconds > 0.5 && clip.duration_seconds <= 10.5 && clip.size_bytes > 0, "{clip:?}");
    assert_eq!(clip.filename, format!("{id}_clip1.mp4"));
    let file = recordings.download(&c.player, &id, Some(1), Some(clip.recording_id)).await.unwrap();
    assert_eq!(std::fs::metadata(&file.path).unwrap().len(), clip.size_bytes);
    assert!(recordings.status(&c.player, &id).await.unwrap().active, "the recording goes on");
    // Listeners are told of the marker.
    let mut told = Vec::new();
    while let Ok(n) = notices.try_recv() {
        told.push(format!("{n:?}"));
    }
    assert!(told.iter().any(|n| n.starts_with("Marker {")), "{told:?}");

    recordings.stop(&c.player, &id).await.unwrap();
    // Who names the session alone means the recording, in lists and downloads.
    let files = async |kind| recordings.files(&c.player, &FileQuery { club_id: None, kind }).await.unwrap();
    let whole = files(Some(RecordingKind::Session)).await;
    assert_eq!((whole.count, whole.videos[0].recording_id, whole.videos[0].markers), (1, started.recording_id, 1));
    let clips = files(Some(RecordingKind::Clip)).await;
    assert_eq!((clips.count, clips.videos[0].clip_of), (1, Some(started.recording_id)));
    assert_eq!(files(None).await.count, 2);
    let newest = recordings.download(&c.player, &id, None, None).await.unwrap();
    assert_eq!(newest.recording_id, started.recording_id);

    // A place in the finished recording, also once the session is closed.
    c.house.control.sessions.close(&c.player, &id).await.unwrap();
    let place = NewMark { offset_seconds: Some(0.5), ..NewMark::default() };
    let placed = markers.mark(&c.player, &id, place.clone()).await.unwrap();
    assert_eq!((placed.marker.offset_seconds, placed.clip), (Some(0.5), None));
    for (mark, code) in [
        (NewMark { offset_seconds: Some(99_999.0), ..place.clone() }, "invalid_field"),
        (NewMark { offset_seconds: Some(-1.0), ..place.clone() }, "invalid_field"),
        (NewMark { recording_id: Some(clip.recording_id), ..place.clone() }, "video_not_found"),
        (NewMark { recording_id: Some(1), ..NewMark::default() }, "missing_field"),
        (self::clip(), "session_not_found"),
    ] {
        assert_eq!(markers.mark(&c.player, &id, mark.clone()).await.unwrap_err().code(), code, "{mark:?}");
    }
    assert_eq!(markers.list(&c.admin, &id).await.unwrap().len(), 2);

    // Taken back: by the owner, but the file goes only with an administrator.
    assert_eq!(markers.delete(&c.other_player, &id, m.id, false).await.unwrap_err().code(), "not_owner");
    assert_eq!(markers.delete(&c.player, &id, m.id, true).await.unwrap_err().code(), "forbidden");
    markers.delete(&c.player, &id, placed.marker.id, false).await.unwrap();
    assert_eq!(markers.delete(&c.player, &id, placed.marker.id, false).await.unwrap_err().code(), "marker_not_found");
    markers.delete(&c.admin, &id, m.id, true).await.unwrap();
    assert!(!file.path.exists() && markers.list(&c.player, &id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_moment_that_nobody_recorded_is_kept_too() {
    let c = Clubs::new().await;
    let markers = &c.house.control.markers;
    let id = c.session(&c.player, 0).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let marked = markers.mark(&c.player, &id, clip()).await.unwrap();
    let clip = marked.clip.unwrap();
    assert_eq!((marked.marker.recording_id, marked.marker.offset_seconds), (None, None));
    assert!(clip.duration_seconds > 0.5 && clip.duration_seconds < 10.0, "no more than was there: {clip:?}");
    let plain = NewMark { clip: false, ..NewMark::default() };
    assert_eq!(markers.mark(&c.player, &id, plain).await.unwrap().clip, None);
    for (seconds, code) in
        [(9.9, "seconds_out_of_range"), (120.5, "seconds_out_of_range"), (f64::NAN, "seconds_out_of_range")]
    {
        let e = markers.mark(&c.player, &id, NewMark { seconds: Some(seconds), ..self::clip() }).await.unwrap_err();
        assert_eq!((e.code(), e.kind()), (code, Kind::Invalid));
    }
    let long = NewMark { label: Some("x".repeat(81)), ..self::clip() };
    assert_eq!(markers.mark(&c.player, &id, long).await.unwrap_err().code(), "invalid_field");
}

#[tokio::test]
async fn a_part_of_a_recording_is_had_without_a_file() {
    let c = Clubs::new().await;
    let recordings = &c.house.control.recordings;
    let id = c.session(&c.player, 0).await;
    let part = |from, to| PartQuery { from, to, ..PartQuery::default() };
    assert_eq!(recordings.part(&c.player, &id, &part(0.0, 1.0)).await.unwrap_err().code(), "video_not_found");
    recordings.start(&c.player, &id, None, None).await.unwrap();
    assert_eq!(recordings.part(&c.player, &id, &part(0.0, 1.0)).await.unwrap_err().code(), "recording_active");
    until(async || recordings.status(&c.player, &id).await.unwrap().frames >= 50).await;
    recordings.stop(&c.player, &id).await.unwrap();
    let p = recordings.part(&c.player, &id, &part(0.5, 1.5)).await.unwrap();
    assert!((p.file.duration().as_secs_f64() - 1.0).abs() < 0.1, "{:?}", p.file.duration());
    let mut head = [0; 8];
    assert_eq!(p.file.read_at(0, &mut head).unwrap(), 8);
    assert_eq!(&head[4..], b"ftyp");
    for (from, to, code, kind) in [
        (1.0, 1.0, "invalid_field", Kind::Invalid),
        (2.0, 1.0, "invalid_field", Kind::Invalid),
        (-1.0, 1.0, "invalid_field", Kind::Invalid),
        (f64::NAN, 1.0, "invalid_field", Kind::Invalid),
        (900.0, 901.0, "range_not_satisfiable", Kind::OutOfRange),
    ] {
        let e = recordings.part(&c.player, &id, &part(from, to)).await.unwrap_err();
        assert_eq!((e.code(), e.kind()), (code, kind), "{from} {to}");
    }
    assert_eq!(recordings.part(&c.other_player, &id, &part(0.0, 1.0)).await.unwrap_err().code(), "not_owner");
}
