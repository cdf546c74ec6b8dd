//! Draws a series over time, in SVG that reads in light and in dark: latencies above outcomes.

use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

use mrc_chart::{Panel, Picture, quantile};

use crate::plan::Server;
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
    Picture { size: [1040.0, 640.0], title: &title, subtitle: &subtitle, light: LIGHT, dark: DARK, body: &body }.svg()
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
    head(out, 84.0, "Latency", &[("key50", "p50"), ("key99", "p99, of each 250 ms")]);
    let part_of = |seconds: f64| (seconds.log10() - f64::from(DECADES.start)) / DECADES.len() as f64;
    for (decade, name) in (DECADES.start..=DECADES.end).zip(DECADE_NAMES) {
        LATENCY.mark(out, part_of(10_f64.powi(decade)), name);
    }
    for (class, part) in [("p99", 0.99), ("p50", 0.5)] {
        let points = bins.iter().filter_map(|(start, samples)| {
            let mut took: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
            took.sort_unstable();
            Some((axis.x(*start + BIN / 2), part_of(quantile(&took, part)?.as_secs_f64())))
        });
        LATENCY.line(out, &format!("line {class}"), points);
    }
}

fn answers(out: &mut String, axis: &Axis, bins: &[(Duration, Vec<&Sample>)], rate: u32) {
    let legend: Vec<(&str, &str)> = STACK.iter().map(|(class, name, _)| (*class, *name)).collect();
    head(out, 396.0, "Answers a second, by source", &legend);
    let top = f64::from(rate) * 1.15;
    for quarter in 0..=4 {
        let value = f64::from(rate) * f64::from(quarter) / 4.0;
        ANSWERS.mark(out, value / top, &format!("{value:.0}"));
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
        let at = |(bin, value): (usize, &f64)| Some((axis.x(bins.get(bin)?.0 + BIN / 2), ANSWERS.y(*value / top)));
        let above: Vec<(f64, f64)> = tops.iter().enumerate().filter_map(at).collect();
        let below: Vec<(f64, f64)> = floor.iter().enumerate().filter_map(at).collect();
        let points: Vec<String> =
            above.into_iter().chain(below.into_iter().rev()).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        _ = writeln!(out, "<path class=\"{class}\" d=\"M{}Z\"/>", points.join("L"));
        floor = tops;
    }
}

struct Axis {
    from: Duration,
    length: f64,
}

impl Axis {
    fn new(results: &Results) -> Self {
        let from = results.phases.first().map_or(Duration::ZERO, |(_, span)| span.start);
        let to = results.phases.last().map_or(from, |(_, span)| span.end);
        Self { from, length: (to - from).as_secs_f64().max(1.0) }
    }

    fn x(&self, at: Duration) -> f64 {
        self.at(at.as_secs_f64() - self.from.as_secs_f64())
    }

    fn at(&self, seconds: f64) -> f64 {
        Panel::LEFT + seconds / self.length * (Panel::RIGHT - Panel::LEFT)
    }

    /// Draws the outages behind the panels, with their names above.
    fn shade(&self, out: &mut String, results: &Results, panels: &[Panel]) {
        for (phase, span) in &results.phases {
            let Some((server, _)) = phase.outage else { continue };
            let class = if server == Server::Redis { "redis" } else { "mysql" };
            let (left, right) = (self.x(span.start), self.x(span.end));
            for Panel { top, bottom } in panels {
                let (width, height) = (right - left, bottom - top);
                _ = writeln!(
                    out,
                    "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
                );
            }
            let (x, y) = ((left + right) / 2.0, panels.first().map_or(0.0, |panel| panel.top - 7.0));
            let name = phase.name;
            _ = writeln!(out, "<text class=\"outage\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{name}</text>");
        }
    }

    fn seconds(&self, out: &mut String, panel: Panel) {
        let step = if self.length > 100.0 { 30 } else { 5 };
        for second in (0..).step_by(step).take_while(|second| f64::from(*second) <= self.length) {
            let (x, y) = (self.at(f64::from(second)), panel.bottom);
            _ = writeln!(out, "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y}\" y2=\"{}\"/>", y + 5.0);
            let y = y + 20.0;
            _ = writeln!(out, "<text class=\"tick\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{second}</text>");
        }
        let (x, y) = ((Panel::LEFT + Panel::RIGHT) / 2.0, panel.bottom + 40.0);
        _ = writeln!(out, "<text class=\"sub\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">seconds</text>");
    }
}

/// Draws the title above the panel's left, and the legend of its colours at its right.
fn head(out: &mut String, y: f64, title: &str, legend: &[(&str, &str)]) {
    _ = writeln!(out, "<text class=\"panel\" x=\"16\" y=\"{y}\">{title}</text>");
    let mut x = Panel::RIGHT;
    for (class, text) in legend.iter().rev() {
        // The letters of this font are about 7 px wide.
        x -= text.chars().count() as f64 * 7.0;
        _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\">{text}</text>");
        x -= 18.0;
        _ = writeln!(out, "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\"/>", y - 11.0);
        x -= 16.0;
    }
}
