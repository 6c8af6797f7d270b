//! H.264 by x264 in a child that runs as long as the recording does.

use std::fmt;
use std::str::FromStr;

/// How much work x264 spends on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Least work, largest files.
    Ultrafast,
    /// More work than `ultrafast`.
    Superfast,
    /// What recordings use (contract §20.4).
    #[default]
    Veryfast,
    /// More work than `veryfast`.
    Faster,
    /// More work than `faster`.
    Fast,
    /// What x264 does when nobody asks for anything.
    Medium,
    /// More work than `medium`.
    Slow,
    /// More work than `slow`.
    Slower,
    /// Most work, smallest files; not in real time on most machines.
    Veryslow,
}

impl Preset {
    /// All of them, fastest first.
    pub const ALL: [Preset; 9] = [
        Preset::Ultrafast,
        Preset::Superfast,
        Preset::Veryfast,
        Preset::Faster,
        Preset::Fast,
        Preset::Medium,
        Preset::Slow,
        Preset::Slower,
        Preset::Veryslow,
    ];

    /// As x264 calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Preset::Ultrafast => "ultrafast",
            Preset::Superfast => "superfast",
            Preset::Veryfast => "veryfast",
            Preset::Faster => "faster",
            Preset::Fast => "fast",
            Preset::Medium => "medium",
            Preset::Slow => "slow",
            Preset::Slower => "slower",
            Preset::Veryslow => "veryslow",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or_else(|| format!("a preset is one of {}", names()))
    }
}
