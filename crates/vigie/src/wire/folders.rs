//! Folders that the operator put elsewhere: `paths.videos` and `paths.video_logs`.
//!
//! **The store knows a recording by its place below the media folder**, so a folder elsewhere is reached by a link in
//! its usual place. Where it leads can be seen with `ls`, and nothing is ever hidden behind a new one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Makes `root/name` lead to `configured`, which is relative to `root` or absolute. `key` is what the operator wrote.
pub(super) fn place(root: &Path, name: &str, configured: &Path, key: &str) -> anyhow::Result<()> {
    let usual = root.join(name);
    let wanted = root.join(configured);
    if wanted == usual {
        return Ok(());
    }
    let wanted = std::path::absolute(&wanted).with_context(|| format!("{key}: no such place"))?;
    fs::create_dir_all(&wanted).with_context(|| format!("{key}: cannot make {}", wanted.display()))?;
    fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
    if holds(&usual, &wanted)? {
        return Ok(());
    }
    std::os::unix::fs::symlink(&wanted, &usual)
        .with_context(|| format!("{key}: cannot make {} lead to {}", usual.display(), wanted.display()))
}

/// Whether the usual place leads there already; what is empty is taken out of the way.
fn holds(usual: &Path, wanted: &Path) -> anyhow::Result<bool> {
    let there = match fs::symlink_metadata(usual) {
        Ok(m) => m,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e).with_context(|| format!("cannot look at {}", usual.display())),
    };
    let now: PathBuf = if there.is_symlink() { fs::read_link(usual)? } else { usual.to_owned() };
    if now == wanted {
        return Ok(true);
    }
    let empty = match fs::read_dir(&now) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) => e.kind() == ErrorKind::NotFound,
    };
    if !empty {
        bail!(
            "{} still holds files, and the configuration wants {}: move them there and remove {}, or take the setting back",
            now.display(),
            wanted.display(),
            usual.display()
        );
    }
    let removed = if there.is_symlink() { fs::remove_file(usual) } else { fs::remove_dir(usual) };
    removed.with_context(|| format!("cannot replace {}", usual.display()))?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_folder_needs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        place(&dir.path().join("media"), "videos", Path::new("videos"), "paths.videos").unwrap();
        assert!(!dir.path().join("media").exists());
    }

    #[test]
    fn what_is_written_in_the_usual_place_arrives_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let (media, elsewhere) = (dir.path().join("media"), dir.path().join("big/disk"));
        fs::create_dir_all(media.join("videos")).unwrap();
        for _ in 0..2 {
            place(&media, "videos", &elsewhere, "paths.videos").unwrap();
        }
        fs::create_dir(media.join("videos/1")).unwrap();
        assert!(elsewhere.join("1").is_dir());
    }

    #[test]
    fn files_are_never_hidden() {
        let dir = tempfile::tempdir().unwrap();
        let media = dir.path().join("media");
        fs::create_dir_all(media.join("videos/1")).unwrap();
        let said = place(&media, "videos", &dir.path().join("a"), "paths.videos").unwrap_err().to_string();
        assert!(said.contains("still holds files"), "{said}");
        fs::remove_dir(media.join("videos/1")).unwrap();
        place(&media, "videos", &dir.path().join("a"), "paths.videos").unwrap();
        // Empty so far: another place may be chosen.
        place(&media, "videos", &dir.path().join("b"), "paths.videos").unwrap();
        fs::create_dir(dir.path().join("b/1")).unwrap();
        assert!(place(&media, "videos", &dir.path().join("c"), "paths.videos").is_err());
        assert!(media.join("videos/1").is_dir());
    }
}
