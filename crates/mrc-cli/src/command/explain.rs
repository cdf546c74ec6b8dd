//! `mrc explain`: which changed rows invalidate a query's entry. No server is asked.

use clap::builder::styling::{AnsiColor, Style};
use mrc::errors::ExecuteError;
use mrc::key::depends::explain;
use mrc::store::driver::expand;

use crate::args::{ExplainArgs, Global};
use crate::connect;
use crate::error::Failure;
use crate::output::Output;

pub(crate) fn run(args: &ExplainArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let params = args.params.params();
    // A text that can't be read is no error here: the explanation says so.
    if let Err(error @ (ExecuteError::ParamCount { .. } | ExecuteError::Param { .. })) = expand(&args.sql, &params) {
        return Err(error.into());
    }
    let has_url = global.mysql.as_ref().is_some_and(|url| !url.is_empty());
    let of_url = if args.database.is_none() && has_url { Some(connect::mysql_config(global)?) } else { None };
    let of_url = of_url.as_ref().and_then(|config| config.default_schema());
    let explanation = explain(&args.sql, &params, args.database.as_deref().or(of_url));
    if output.is_json() {
        return output.document(&explanation);
    }
    let text = explanation.to_string();
    let styled = |(style, label, rest): (Style, &str, &str)| output.styled(style, label) + rest;
    let lines: Vec<String> = text.lines().map(|line| styled(label(line))).collect();
    output.result(lines.join("\n").as_bytes())
}

/// Splits the label from a line, by its place: headings begin at the left margin.
fn label(line: &str) -> (Style, &str, &str) {
    const LEFT_OUT: &str = "  left out";
    let (style, end) = match line {
        _ if line.trim_start().starts_with('→') => (AnsiColor::Green.on_default(), line.len()),
        _ if line.starts_with(LEFT_OUT) => (AnsiColor::Yellow.on_default(), LEFT_OUT.len()),
        _ if line.is_empty() || line.starts_with(' ') => (Style::new(), 0),
        _ => (Style::new().bold(), line.find(": ").or(line.find("  ")).unwrap_or(line.len())),
    };
    let (label, rest) = line.split_at_checked(end).unwrap_or(("", line));
    (style, label, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_bold_and_left_out_conditions_have_colours() {
        let check = |line: &str, style: Style, expect: &str| {
            let (of_label, label, rest) = label(line);
            assert_eq!((of_label, label, [label, rest].concat()), (style, expect, line.to_owned()));
        };
        check("cacheable   yes", Style::new().bold(), "cacheable");
        check("cacheable   no: `DELETE` writes", Style::new().bold(), "cacheable   no");
        check("shop.orders: every change invalidates the entry", Style::new().bold(), "shop.orders");
        check("  tag       t:shop.orders?", Style::new(), "");
        check("  left out  `a > 1`", AnsiColor::Yellow.on_default(), "  left out");
        check("            → write `IS NULL`", AnsiColor::Green.on_default(), "            → write `IS NULL`");
        check("", Style::new(), "");
    }
}
