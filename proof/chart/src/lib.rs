//! The frame of the pictures that the proofs draw, in SVG that reads in light and in dark, and
//! their numbers.

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

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn digits_are_grouped_by_three() {
        let grouped = [0.0, 999.0, 1_000.0, 12_345.0, 1_234_567.0].map(thousands);
        assert_eq!(grouped, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
