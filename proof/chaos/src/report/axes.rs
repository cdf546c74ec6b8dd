//! Lays out a plot over time: two panels, one above the other, on one axis of seconds.

use std::fmt::Write;
use std::time::Duration;

use crate::plan::Server;
use crate::record::Results;

pub(super) const WIDTH: f64 = 1040.0;
pub(super) const HEIGHT: f64 = 640.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 1020.0;

/// The space of a panel, from top to bottom.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// The time axis.
pub(super) struct Axis {
    from: Duration,
    length: f64,
}

impl Axis {
    pub(super) fn new(results: &Results) -> Self {
        let from = results.phases.first().map_or(Duration::ZERO, |(_, span)| span.start);
        let to = results.phases.last().map_or(from, |(_, span)| span.end);
        Self { from, length: (to - from).as_secs_f64().max(1.0) }
    }

    pub(super) fn x(&self, at: Duration) -> f64 {
        self.at(at.as_secs_f64() - self.from.as_secs_f64())
    }

    fn at(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.length * (RIGHT - LEFT)
    }

    /// Draws the outages behind the panels, with their names above.
    pub(super) fn shade(&self, out: &mut String, results: &Results, panels: &[Panel]) {
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
            _ = writeln!(
                out,
                "<text class=\"outage\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
                phase.name
            );
        }
    }

    /// Draws the seconds below a panel.
    pub(super) fn seconds(&self, out: &mut String, panel: Panel) {
        let step = if self.length > 100.0 { 30 } else { 5 };
        for second in (0..).step_by(step).take_while(|second| f64::from(*second) <= self.length) {
            let (x, y) = (self.at(f64::from(second)), panel.bottom);
            _ = writeln!(out, "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y}\" y2=\"{}\"/>", y + 5.0);
            _ = writeln!(
                out,
                "<text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{second}</text>",
                y + 20.0
            );
        }
        let (x, y) = ((LEFT + RIGHT) / 2.0, panel.bottom + 40.0);
        _ = writeln!(out, "<text class=\"sub\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">seconds</text>");
    }
}

impl Panel {
    /// Draws a line across, with its label at its left.
    pub(super) fn mark(self, out: &mut String, y: f64, text: &str) {
        _ = writeln!(out, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        _ = writeln!(
            out,
            "<text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }

    /// Draws the title above the panel's left, and the legend of its colours at its right.
    pub(super) fn head(self, out: &mut String, y: f64, title: &str, legend: &[(&str, &str)]) {
        _ = writeln!(out, "<text class=\"panel\" x=\"16\" y=\"{y}\">{title}</text>");
        let mut x = RIGHT;
        for (class, text) in legend.iter().rev() {
            // The letters of this font are about 7 px wide.
            x -= text.chars().count() as f64 * 7.0;
            _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\">{text}</text>");
            x -= 18.0;
            _ = writeln!(out, "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\"/>", y - 11.0);
            x -= 16.0;
        }
    }
}
