//! Figures beside their goals.

/// What was measured.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// A figure with a goal.
    pub(crate) fn row(&mut self, what: &str, figure: String, goal: &str, met: bool) {
        self.0.push([what.to_owned(), figure, goal.to_owned(), if met { "met" } else { "missed" }.to_owned()]);
    }

    /// A figure that is only good to know.
    pub(crate) fn note(&mut self, what: &str, figure: String) {
        self.0.push([what.to_owned(), figure, String::new(), String::new()]);
    }

    /// Something that could not be measured.
    pub(crate) fn failed(&mut self, what: &str, error: &anyhow::Error) {
        let why = format!("{error:#}");
        let why = why.lines().next().unwrap_or_default();
        self.0.push([what.to_owned(), "not measured".to_owned(), String::new(), format!("FAILED: {why}")]);
    }

    /// Whether everything was measured.
    pub(crate) fn complete(&self) -> bool {
        !self.0.iter().any(|r| r[3].starts_with("FAILED"))
    }

    pub(crate) fn print(&self) {
        println!();
        println!("{:<78} {:>20}  {:<22} ", "what", "figure", "goal");
        for [what, figure, goal, met] in &self.0 {
            println!("{what:<78} {figure:>20}  {goal:<22} {met}");
        }
    }
}

/// Durations that were measured, in nanoseconds.
#[derive(Default)]
pub(crate) struct Times(Vec<u64>);

impl Times {
    pub(crate) fn add(&mut self, t: std::time::Duration) {
        self.0.push(u64::try_from(t.as_nanos()).unwrap_or(u64::MAX));
        self.0.sort_unstable();
    }

    /// Milliseconds below which that share lies.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        crate::drain::rank(&self.0, share) as f64 / 1e6
    }

    /// p50, p95 and the longest, in milliseconds.
    pub(crate) fn three(&self) -> String {
        format!("{:.1} / {:.1} / {:.1}", self.ms(0.5), self.ms(0.95), self.ms(1.0))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
