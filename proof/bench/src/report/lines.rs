//! A chart of lines, in SVG that reads in light and in dark.

use std::fmt::Write;

use mrc_chart::{Picture, escape};

/// One chart: panels beside each other, two in a row, with the same lines.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) subtitle: String,
    /// The labels under the steps, from left to right.
    pub(super) steps: Vec<String>,
    pub(super) panels: Vec<Panel>,
}

pub(super) struct Panel {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) class: &'static str,
    /// In %.
    pub(super) values: Vec<f64>,
}

const WIDTH: f64 = 760.0;
/// The field that the lines of a panel are drawn in.
const FIELD: [f64; 2] = [310.0, 180.0];
/// The distance from one panel's corner to the next one's.
const PANEL: [f64; 2] = [372.0, 258.0];
const LEFT: f64 = 52.0;
const TOP: f64 = 128.0;
const RULE: f64 = 10.0;

const LIGHT: &str = ".sub,.tick{fill:#656d76}.tick{font-size:11px}.panel{font-weight:600}\
.axis{stroke:#d0d7de}polyline,.key{fill:none;stroke-width:2}.best{stroke:#8c959f;stroke-dasharray:2 3}.lfu{stroke:#c2410c;stroke-width:3}\
.lru{stroke:#0969da}.fifo{stroke:#1a7f37}.plain{stroke:#c2410c;stroke-dasharray:6 4}";
const DARK: &str = ".sub,.tick{fill:#8d96a0}.axis{stroke:#3d444d}.best{stroke:#6e7681}\
.lfu,.plain{stroke:#f0833a}.lru{stroke:#6cb6ff}.fifo{stroke:#57ab5a}";

impl Chart {
    pub(super) fn svg(&self) -> String {
        let mut body = String::new();
        self.legend(&mut body);
        for (at, panel) in self.panels.iter().enumerate() {
            let (column, row) = (at % 2, at / 2);
            panel.draw(&mut body, &self.steps, [LEFT + column as f64 * PANEL[0], TOP + row as f64 * PANEL[1]]);
        }
        let height = TOP + self.panels.len().div_ceil(2) as f64 * PANEL[1] - 30.0;
        let (title, subtitle) = (&self.title, &self.subtitle);
        Picture { size: [WIDTH, height], title, subtitle, light: LIGHT, dark: DARK, body: &body }.svg()
    }

    fn legend(&self, out: &mut String) {
        let mut x = 16.0;
        for line in self.panels.first().map(|panel| panel.lines.as_slice()).unwrap_or_default() {
            let (class, end, after, label) = (line.class, x + 26.0, x + 33.0, escape(line.label));
            _ = write!(out, "<line class=\"key {class}\" x1=\"{x:.0}\" x2=\"{end:.0}\" y1=\"74\" y2=\"74\"/>");
            _ = writeln!(out, "<text x=\"{after:.0}\" y=\"78\">{label}</text>");
            // About the width of the label in the widest letters.
            x += 60.0 + line.label.len() as f64 * 7.5;
        }
    }
}

impl Panel {
    /// Draws the panel with the upper left corner of its field at `[left, top]`.
    fn draw(&self, out: &mut String, steps: &[String], [left, top]: [f64; 2]) {
        let values = || self.lines.iter().flat_map(|line| line.values.iter().copied());
        let lowest = (values().fold(100.0, f64::min) / RULE).floor() * RULE;
        let highest = (values().fold(0.0, f64::max) / RULE).ceil() * RULE;
        let [width, height] = FIELD;
        let y = |value: f64| top + height * (highest - value) / (highest - lowest).max(RULE);
        let x = |at: usize| left + width * at as f64 / (steps.len().max(2) - 1) as f64;
        let (above, title) = (top - 14.0, escape(&self.title));
        _ = writeln!(out, "<text class=\"panel\" x=\"{left:.0}\" y=\"{above:.0}\">{title}</text>");
        let rules = ((highest - lowest) / RULE) as usize;
        for rule in (0..=rules).map(|at| lowest + at as f64 * RULE) {
            let (y, right, x, below) = (y(rule), left + width, left - 8.0, y(rule) + 4.0);
            _ = write!(out, "<line class=\"axis\" x1=\"{left:.0}\" x2=\"{right:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            _ = writeln!(out, "<text class=\"tick\" x=\"{x:.0}\" y=\"{below:.1}\" text-anchor=\"end\">{rule}</text>");
        }
        for (at, step) in steps.iter().enumerate() {
            let (x, y) = (x(at), top + height + 18.0);
            _ = writeln!(out, "<text class=\"tick\" x=\"{x:.1}\" y=\"{y:.0}\" text-anchor=\"middle\">{step}</text>");
        }
        for line in &self.lines {
            let points: Vec<String> =
                line.values.iter().enumerate().map(|(at, value)| format!("{:.1},{:.1}", x(at), y(*value))).collect();
            _ = writeln!(out, "<polyline class=\"{}\" points=\"{}\"/>", line.class, points.join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let line = Line { label: "a<b", class: "lru", values: vec![10.0, 15.0, 20.0] };
        let panel = Panel { title: "t".into(), lines: vec![line] };
        let steps = ["1 %", "2 %", "5 %"].map(String::from).into();
        let svg = Chart { title: "T".into(), subtitle: String::new(), steps, panels: vec![panel] }.svg();
        assert!(svg.contains("points=\"52.0,308.0 207.0,218.0 362.0,128.0\""), "{svg}");
        assert!(svg.contains("a&lt;b"));
    }
}
