//! A chart of horizontal bars, in SVG that reads in light and in dark.

use std::fmt::Write;

use mrc_chart::{Picture, escape};

/// One chart: panels of bars under each other.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) panels: Vec<Panel>,
}

/// Bars on one scale.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) bars: Vec<Bar>,
    /// The end of the scale. Longer bars are cut, with a break that shows it.
    pub(super) scale: f64,
}

pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// The owner of a bar.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Mrc,
    Bare,
    Other,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 200.0;
const LONGEST: f64 = 430.0;
const BAR: f64 = 20.0;
const STEP: f64 = 28.0;

const LIGHT: &str = ".sub,.cut{fill:#656d76}.panel{font-weight:600}\
.value{font-variant-numeric:tabular-nums}.axis{stroke:#d0d7de}\
.mrc{fill:#c2410c}.bare{fill:#8c959f}.other{fill:#57789e}.gap{stroke:#ffffff;stroke-width:3;fill:none}";
const DARK: &str = ".sub,.cut{fill:#8d96a0}.axis{stroke:#3d444d}\
.mrc{fill:#f0833a}.bare{fill:#6e7681}.other{fill:#6f9bd1}.gap{stroke:#0d1117}";

impl Chart {
    pub(super) fn svg(&self) -> String {
        let mut body = String::new();
        let mut y = 70.0;
        for panel in &self.panels {
            y = panel.draw(&mut body, y + 14.0);
        }
        let height = y + 8.0;
        let (title, subtitle) = (&self.title, &self.subtitle);
        Picture { size: [WIDTH, height], title, subtitle, light: LIGHT, dark: DARK, body: &body }.svg()
    }
}

impl Panel {
    /// Draws the panel from `y` on, and returns where it ends.
    fn draw(&self, out: &mut String, y: f64) -> f64 {
        _ = writeln!(out, "<text class=\"panel\" x=\"16\" y=\"{:.0}\">{}</text>", y + 12.0, escape(&self.title));
        let top = y + 24.0;
        for (at, bar) in self.bars.iter().enumerate() {
            bar.draw(out, top + at as f64 * STEP, self.scale);
        }
        let bottom = top + self.bars.len() as f64 * STEP;
        let (y1, y2) = (top - 4.0, bottom - 4.0);
        _ = writeln!(out, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{LEFT}\" y1=\"{y1:.0}\" y2=\"{y2:.0}\"/>");
        bottom
    }
}

impl Bar {
    fn draw(&self, out: &mut String, y: f64, scale: f64) {
        let is_cut = self.value > scale;
        let length = (self.value / scale).clamp(0.003, 1.0) * LONGEST;
        let class = match self.kind {
            Kind::Mrc => "mrc",
            Kind::Bare => "bare",
            Kind::Other => "other",
        };
        let (middle, end) = (y + BAR * 0.72, LEFT + length);
        let weight = if matches!(self.kind, Kind::Mrc) { " font-weight=\"600\"" } else { "" };
        let (x, label, text) = (LEFT - 10.0, escape(&self.label), escape(&self.text));
        _ = writeln!(out, "<text x=\"{x:.0}\" y=\"{middle:.1}\" text-anchor=\"end\"{weight}>{label}</text>");
        _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>"
        );
        if is_cut {
            // The break keeps readers from taking the length for the value.
            let x = end - 34.0;
            for x in [x, x + 7.0] {
                _ = writeln!(out, "<path class=\"gap\" d=\"M{x:.1} {:.1}l8 {}\"/>", y - 1.0, BAR + 2.0);
            }
        }
        let x = end + 8.0;
        _ = writeln!(out, "<text class=\"value\" x=\"{x:.1}\" y=\"{middle:.1}\"{weight}>{text}</text>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_bar_is_cut_and_its_text_is_not() {
        let bar = |value: f64| Bar { label: "a<b".into(), value, text: format!("{value} µs"), kind: Kind::Other };
        let panel = Panel { title: "t".into(), bars: vec![bar(5.0), bar(100.0)], scale: 10.0 };
        let svg = Chart { title: "T".into(), subtitle: String::new(), panels: vec![panel] }.svg();
        assert!(svg.contains("width=\"215.0\"") && svg.contains("width=\"430.0\""), "{svg}");
        assert!(svg.contains("100 µs") && svg.contains("a&lt;b"));
        assert_eq!(svg.matches("class=\"gap\"").count(), 2);
    }
}
