//! Draws the lag and the memory of the followers over time, in SVG that reads in light and in dark.

use std::collections::BTreeMap;
use std::fmt::Write;

use mrc_chart::{Panel, Picture, quantile};

use crate::run::Outcome;

const LAG: Panel = Panel { top: 92.0, bottom: 300.0 };
const MEMORY: Panel = Panel { top: 376.0, bottom: 540.0 };
/// The lags of so many seconds make one point.
const BIN: f64 = 2.0;
/// The range of the lag, in powers of ten of a millisecond.
const POWERS: (i32, i32) = (-1, 4);

const LIGHT: &str = ".sub,.tick{fill:#656d76}.tick{font-size:11px}.panel{font-weight:600}\
.grid{stroke:#d0d7de}path{fill:none;stroke-width:1.5}.a{stroke:#0969da}.b{stroke:#c2410c}";
const DARK: &str = ".sub,.tick{fill:#8d96a0}.grid{stroke:#3d444d}.a{stroke:#6cb6ff}.b{stroke:#f0833a}";

pub(crate) fn svg(outcome: &Outcome) -> String {
    let seconds = outcome.took.as_secs_f64().max(1.0);
    let at = |time: u64| time.saturating_sub(outcome.began) as f64 / 1e9;
    let x = |at: f64| Panel::LEFT + at / seconds * (Panel::RIGHT - Panel::LEFT);
    let mut body = String::new();
    head(&mut body, &LAG, "From commit to position, ms", &[("a", "median of 2 s"), ("b", "longest of 2 s")]);
    for power in POWERS.0..=POWERS.1 {
        LAG.mark(&mut body, height(10_f64.powi(power)), &format!("{}", 10_f64.powi(power)));
    }
    let mut bins: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for write in outcome.history.writes().iter() {
        let Some(passed) = write.dropped else { continue };
        let lag = passed.saturating_sub(write.committed) as f64 / 1e6;
        bins.entry((at(write.committed) / BIN) as u64).or_default().push(lag);
    }
    bins.values_mut().for_each(|lags| lags.sort_by(f64::total_cmp));
    for (class, part) in [("a", 0.5), ("b", 1.0)] {
        let lag = |lags| height(quantile(lags, part).unwrap_or_default());
        let points = bins.iter().map(|(bin, lags)| (x((*bin as f64 + 0.5) * BIN), lag(lags)));
        LAG.line(&mut body, class, points);
    }
    head(&mut body, &MEMORY, "Resident memory of the followers, MiB", &[("a", "first"), ("b", "second")]);
    let memory = outcome.history.memory();
    let most = memory.iter().map(|memory| memory.kib).max().unwrap_or(0);
    let top = f64::from(most.div_ceil(16 * 1_024).max(1) * 16);
    for quarter in 0..=4 {
        let part = f64::from(quarter) / 4.0;
        MEMORY.mark(&mut body, part, &format!("{:.0}", top * part));
    }
    for (process, class) in [(0, "a"), (1, "b")] {
        let of_process = memory.iter().filter(|memory| memory.process == process);
        let points = of_process.map(|memory| (x(at(memory.at)), f64::from(memory.kib) / 1_024.0 / top));
        MEMORY.line(&mut body, class, points);
    }
    let step = if seconds > 120.0 { 60 } else { 10 };
    for second in (0..).step_by(step).take_while(|second| f64::from(*second) <= seconds) {
        let (x, y) = (x(f64::from(second)), MEMORY.bottom + 20.0);
        let _ = writeln!(body, "<text class=\"tick\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{second}</text>");
    }
    let title = "The follower under kills, pauses, cuts and held commits";
    let (reads, commits) = (outcome.history.reads().len(), outcome.history.writes().len());
    let subtitle = format!("{reads} reads, {commits} commits, {} stale reads; over seconds", outcome.stale.len());
    Picture { size: [1040.0, 590.0], title, subtitle: &subtitle, light: LIGHT, dark: DARK, body: &body }.svg()
}

/// Returns the height of a lag on its axis, as a part.
fn height(millis: f64) -> f64 {
    let (lowest, highest) = (f64::from(POWERS.0), f64::from(POWERS.1));
    (millis.max(f64::MIN_POSITIVE).log10() - lowest) / (highest - lowest)
}

fn head(out: &mut String, panel: &Panel, title: &str, legend: &[(&str, &str)]) {
    let y = panel.top - 14.0;
    let _ = writeln!(out, "<text class=\"panel\" x=\"16\" y=\"{y}\">{title}</text>");
    for (at, (class, text)) in legend.iter().enumerate() {
        let x = 640.0 + at as f64 * 180.0;
        let (above, after) = (y - 4.0, x + 32.0);
        let _ = write!(out, "<path class=\"{class}\" d=\"M{x} {above}h24\"/>");
        let _ = writeln!(out, "<text x=\"{after}\" y=\"{y}\">{text}</text>");
    }
}

#[cfg(test)]
mod tests {
    use super::height;

    #[test]
    fn ten_milliseconds_are_two_fifths_of_the_way_up() {
        assert_eq!([0.1, 10.0, 10_000.0].map(|millis| (height(millis) * 5.0).round()), [0.0, 2.0, 5.0]);
    }
}
