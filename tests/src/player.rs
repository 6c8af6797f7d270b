//! FFmpeg as a player that counts what it gets.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::clients::{Child, require};
use crate::server::Vigie;

/// Pulls the pictures of a stream over RTSP and TCP, copies them to nowhere, and says how many there were.
#[derive(Debug)]
pub struct Player {
    child: Child,
    progress: PathBuf,
}

impl Player {
    /// Plays `path` of that server, such as `cam/1/main`.
    pub fn start(vigie: &Vigie, path: &str) -> Result<Self> {
        require("ffmpeg")?;
        let progress = vigie.data_dir().join("player-progress");
        let host = vigie.rtsp.trim_start_matches("rtsp://");
        let mut command = Command::new("ffmpeg");
        command
            .args(["-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", &format!("rtsp://{host}/{path}")])
            .args(["-map", "0:v", "-c", "copy", "-f", "null", "-progress"])
            .arg(&progress)
            .arg("-")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self { child: Child::spawn(command)?, progress })
    }

    /// Pictures so far.
    pub fn frames(&self) -> Result<u64> {
        let text = std::fs::read_to_string(&self.progress)?;
        let line = text.lines().rev().find_map(|l| l.strip_prefix("frame=")).context("no progress yet")?;
        Ok(line.trim().parse()?)
    }

    /// Whether it still plays: nobody hung up on it.
    pub fn is_playing(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}
