//! The output of the proofs: pictures in SVG for light and dark pages, Markdown, and numbers.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A picture: a title and a subtitle above a body.
#[derive(Debug)]
pub struct Picture<'a> {
    /// The width and the height, in px.
    pub size: [f64; 2],
    /// The title, as plain text.
    pub title: &'a str,
    /// The line below the title, as plain text.
    pub subtitle: &'a str,
    /// CSS for light pages, besides the font, the text's colour and the title.
    pub light: &'a str,
    /// CSS for dark pages, besides the text's colour.
    pub dark: &'a str,
    /// The SVG elements below the subtitle, from about y = 70 on.
    pub body: &'a str,
}

impl Picture<'_> {
    /// Returns the SVG document.
    pub fn svg(&self) -> String {
        let Self { size: [width, height], light, dark, body, .. } = self;
        let (title, subtitle) = (escape(self.title), escape(self.subtitle));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" aria-label=\"{title}\">\n\
             <style>text{{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}}\
             .title{{font-size:17px;font-weight:600}}{light}\
             @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}{dark}}}</style>\n\
             <text class=\"title\" x=\"16\" y=\"30\">{title}</text>\n<text class=\"sub\" x=\"16\" y=\"52\">{subtitle}</text>\n\
             {body}</svg>\n"
        )
    }
}

/// Returns the text with the characters that XML reserves as entities.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Formats a number as `1,234,567`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns the value that this part of the sorted ones doesn't exceed, or `None` if there is none.
pub fn quantile<T: Copy>(sorted: &[T], part: f64) -> Option<T> {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A field of a picture over time.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    /// The upper end, in px.
    pub top: f64,
    /// The lower end, in px.
    pub bottom: f64,
}

impl Panel {
    /// The left end of every panel, in px.
    pub const LEFT: f64 = 76.0;
    /// The right end of every panel, in px.
    pub const RIGHT: f64 = 1020.0;

    /// Returns the height that is this part of the way up, in px.
    pub fn y(&self, part: f64) -> f64 {
        self.bottom - part.clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// Draws a line across, this part of the way up, with its label at its left.
    pub fn mark(&self, out: &mut String, part: f64, text: &str) {
        let (y, [left, right]) = (self.y(part), [Self::LEFT, Self::RIGHT]);
        _ = writeln!(out, "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        let (x, y) = (left - 8.0, y + 4.0);
        _ = writeln!(out, "<text class=\"tick\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{text}</text>");
    }

    /// Draws a line through points. `x` is in px, `y` is the part of the way up.
    pub fn line(&self, out: &mut String, class: &str, points: impl Iterator<Item = (f64, f64)>) {
        let points: Vec<String> = points.map(|(x, part)| format!("{x:.1} {:.1}", self.y(part))).collect();
        let path = if points.is_empty() { String::new() } else { format!("M{}", points.join("L")) };
        _ = writeln!(out, "<path class=\"{class}\" d=\"{path}\"/>");
    }
}

/// Returns a table in Markdown that is aligned in the source too: the first column at its left,
/// numbers at their right. The first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let Some((head, rest)) = rows.split_first() else { return String::new() };
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0).max(2)).collect();
    let rule = |(at, &width): (usize, &usize)| "-".repeat(width - at.min(1)) + if at == 0 { "" } else { ":" };
    let rule = widths.iter().enumerate().map(rule).collect();
    let mut out = String::new();
    for row in [head, &rule].into_iter().chain(rest) {
        for (at, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            _ = if at == 0 { write!(out, "| {cell:<width$} ") } else { write!(out, "| {cell:>width$} ") };
        }
        out.push_str("|\n");
    }
    out + "\n"
}

/// Returns the folder of the docs.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Rewrites the part of a page of the docs that `just TOOL --write` writes.
///
/// # Errors
/// The page can't be read or written, or lacks the marks.
pub fn rewrite(page: &str, tool: &str, measured: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (begin, end) = (format!("<!-- Written by `just {tool} --write`: from here … -->"), "<!-- … to here. -->");
    let path = docs().join(page);
    let text = std::fs::read_to_string(&path)?;
    let (Some((before, _)), Some((_, after))) = (text.split_once(&begin), text.split_once(end)) else {
        return Err(format!("docs/{page} has lost the marks that its measured part stands between").into());
    };
    Ok(std::fs::write(path, format!("{before}{begin}\n\n{measured}\n{end}{after}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let grouped = [0.0, 999.0, 1_000.0, 12_345.0, 1_234_567.0].map(thousands);
        assert_eq!(grouped, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let sorted: Vec<u32> = (1..=200).collect();
        let at = |part| quantile(&sorted, part);
        assert_eq!([0.5, 0.99, 0.999, 1.0].map(at), [Some(100), Some(198), Some(200), Some(200)]);
        assert_eq!(quantile::<u32>(&[], 0.5), None);
    }
}
