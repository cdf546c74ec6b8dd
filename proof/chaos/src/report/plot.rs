//! Draws a series over time, in SVG that reads in light and in dark: latencies above outcomes.

use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

use mrc_chart::Picture;

use super::axes::{Axis, HEIGHT, Panel, WIDTH};
use super::quantile;
use crate::record::{Measured, Outcome, Results, Sample};

/// The time span of a point of the plot.
const BIN: Duration = Duration::from_millis(250);
const LATENCY: Panel = Panel { top: 124.0, bottom: 350.0 };
const ANSWERS: Panel = Panel { top: 416.0, bottom: 586.0 };
/// The decades of the logarithmic axis, in seconds.
const DECADES: Range<i32> = -4..1;
const DECADE_NAMES: [&str; 6] = ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s"];

const LIGHT: &str = ".sub{fill:#656d76}.tick{font-size:12px;fill:#656d76}.panel,.outage{font-weight:600}\
.axis{stroke:#8c959f}.grid{stroke:#d0d7de}.redis{fill:#c2410c;opacity:.14}.mysql{fill:#57789e;opacity:.2}\
.line{fill:none;stroke-width:1.3;stroke-linejoin:round}.p50{stroke:#1f6feb}.p99{stroke:#c2410c}\
.key50{fill:#1f6feb}.key99{fill:#c2410c}\
.hit{fill:#57a773}.read{fill:#1f6feb}.stale{fill:#d4a72c}.refused{fill:#8c959f}.bad{fill:#cf222e}";
const DARK: &str = ".sub,.tick{fill:#8d96a0}.axis{stroke:#6e7681}.grid{stroke:#3d444d}\
.redis{fill:#f0833a;opacity:.2}.mysql{fill:#6f9bd1;opacity:.25}.p50{stroke:#6cb0ff}.p99{stroke:#f0833a}\
.key50{fill:#6cb0ff}.key99{fill:#f0833a}.read{fill:#6cb0ff}";

/// The stack, from below: a class, a name, and the outcomes that it counts.
const STACK: [(&str, &str, &[Outcome]); 5] = [
    ("hit", "hits", &[Outcome::Hit]),
    ("read", "read from the database", &[Outcome::Read]),
    ("stale", "stale copies", &[Outcome::Stale]),
    ("refused", "refused", &[Outcome::Refused]),
    ("bad", "failed, wrong, hung", &[Outcome::Failed, Outcome::Wrong, Outcome::Hung]),
];

pub(super) fn svg(results: &Results, measured: &Measured) -> String {
    let axis = Axis::new(results);
    let bins = bins(results, measured);
    let mut body = String::new();
    axis.shade(&mut body, results, &[LATENCY, ANSWERS]);
    latency(&mut body, &axis, &bins);
    answers(&mut body, &axis, &bins, results.rate);
    axis.seconds(&mut body, ANSWERS);
    let title = format!("Outages, {}", measured.name);
    let subtitle = format!(
        "{} calls a second, each at its due time, even if earlier calls hang; shaded: a server is down",
        results.rate
    );
    Picture { size: [WIDTH, HEIGHT], title: &title, subtitle: &subtitle, light: LIGHT, dark: DARK, body: &body }.svg()
}

/// Groups the calls by the time at which they were due. The last bin may be short, and is left out.
fn bins<'a>(results: &Results, measured: &'a Measured) -> Vec<(Duration, Vec<&'a Sample>)> {
    let (Some((_, first)), Some((_, last))) = (results.phases.first(), results.phases.last()) else {
        return Vec::new();
    };
    let count = ((last.end - first.start).as_nanos() / BIN.as_nanos()) as u32;
    let mut bins: Vec<(Duration, Vec<&Sample>)> = (0..count).map(|bin| (first.start + BIN * bin, Vec::new())).collect();
    for sample in &measured.samples {
        let Some(since) = sample.due.checked_sub(first.start) else { continue };
        if let Some((_, bin)) = bins.get_mut((since.as_nanos() / BIN.as_nanos()) as usize) {
            bin.push(sample);
        }
    }
    bins
}

fn latency(out: &mut String, axis: &Axis, bins: &[(Duration, Vec<&Sample>)]) {
    LATENCY.head(out, 84.0, "Latency", &[("key50", "p50"), ("key99", "p99, of each 250 ms")]);
    let decades = DECADES.len() as f64;
    let y = |seconds: f64| {
        let part = (seconds.log10() - f64::from(DECADES.start)) / decades;
        LATENCY.bottom - part.clamp(0.0, 1.0) * (LATENCY.bottom - LATENCY.top)
    };
    for (decade, name) in (DECADES.start..=DECADES.end).zip(DECADE_NAMES) {
        LATENCY.mark(out, y(10_f64.powi(decade)), name);
    }
    for (class, part) in [("p99", 0.99), ("p50", 0.5)] {
        let mut path = String::new();
        for (start, samples) in bins.iter().filter(|(_, samples)| !samples.is_empty()) {
            let mut took: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
            took.sort_unstable();
            let (x, y) = (axis.x(*start + BIN / 2), y(quantile(&took, part).as_secs_f64()));
            _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
        }
        _ = writeln!(out, "<path class=\"line {class}\" d=\"{path}\"/>");
    }
}

fn answers(out: &mut String, axis: &Axis, bins: &[(Duration, Vec<&Sample>)], rate: u32) {
    let legend: Vec<(&str, &str)> = STACK.iter().map(|(class, name, _)| (*class, *name)).collect();
    ANSWERS.head(out, 396.0, "Answers a second, by source", &legend);
    let top = f64::from(rate) * 1.15;
    let y = |a_second: f64| ANSWERS.bottom - (a_second / top).min(1.0) * (ANSWERS.bottom - ANSWERS.top);
    for quarter in 0..=4 {
        let value = f64::from(rate) * f64::from(quarter) / 4.0;
        ANSWERS.mark(out, y(value), &format!("{value:.0}"));
    }
    let mut floor = vec![0.0; bins.len()];
    for (class, _, outcomes) in STACK {
        let of = |samples: &[&Sample]| samples.iter().filter(|sample| outcomes.contains(&sample.outcome)).count();
        let tops: Vec<f64> = bins
            .iter()
            .zip(&floor)
            .map(|((_, samples), floor)| floor + of(samples) as f64 / BIN.as_secs_f64())
            .collect();
        if tops == floor {
            continue;
        }
        let at = |(bin, value): (usize, &f64)| Some((axis.x(bins.get(bin)?.0 + BIN / 2), y(*value)));
        let above: Vec<(f64, f64)> = tops.iter().enumerate().filter_map(at).collect();
        let below: Vec<(f64, f64)> = floor.iter().enumerate().filter_map(at).collect();
        let points: Vec<String> =
            above.into_iter().chain(below.into_iter().rev()).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        _ = writeln!(out, "<path class=\"{class}\" d=\"M{}Z\"/>", points.join("L"));
        floor = tops;
    }
}
