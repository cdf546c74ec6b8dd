//! Reports the numbers: targets, tables, pictures.

mod bars;
mod bounded;
mod clients;
mod exact;
mod follow;
mod gains;
mod lines;
mod many;
mod pictures;
mod ratios;
mod tables;
mod tags;
mod targets;

use mrc_chart::{docs, thousands};

pub(crate) use self::ratios::table as ratios;

use crate::Res;
use crate::policies::Ratios;
use crate::results::Results;

/// Returns everything as Markdown, which reads well on a terminal too.
pub(crate) fn text(results: &Results) -> String {
    let targets = targets::all(results);
    let mut out = gains::table(results);
    out += &tables::targets(&targets);
    out += &tables::hits(results);
    out += &tables::rows(results);
    out += &tables::misses(results);
    out += &many::tables(results);
    out += &tables::drops(results);
    out += &tags::invalidations(results);
    out += &tags::memory(results);
    out += &tags::functions(results);
    out += &clients::table(results);
    out += &bounded::calls(results);
    out += &exact::tables(results);
    out += &follow::tables(results);
    out
}

/// Rewrites the measured part of docs/benchmarks.md, its pictures, and the raw numbers beside them.
pub(crate) fn write(results: &Results) -> Res<()> {
    results.save()?;
    for (name, picture) in pictures::all(results) {
        std::fs::write(docs().join("benchmarks").join(name), picture)?;
    }
    mrc_chart::rewrite("benchmarks.md", "bench", &(tables::machine(&results.machine) + &text(results)))
}

/// Writes the hit ratios into docs/bounds: the table, all numbers, and the picture.
pub(crate) fn write_ratios(ratios: &Ratios) -> Res<()> {
    let folder = docs().join("bounds");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("hit-ratios.md"), ratios::table(ratios))?;
    std::fs::write(folder.join("hit-ratios.json"), serde_json::to_string(ratios)? + "\n")?;
    Ok(std::fs::write(folder.join("hit-ratios.svg"), ratios::picture(ratios))?)
}

/// Returns a paragraph of Markdown, in lines of at most 100 characters.
fn wrapped(text: &str) -> String {
    let (mut out, mut line) = (String::new(), 0);
    for word in text.split(' ') {
        let width = word.chars().count();
        if line > 0 {
            let fits = line + 1 + width <= 100;
            out.push(if fits { ' ' } else { '\n' });
            line = if fits { line + 1 } else { 0 };
        }
        out += word;
        line += width;
    }
    out + "\n\n"
}

/// Formats a number with as many digits as its size needs.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1_000.0 => thousands(value),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_wrapped_between_words() {
        let text = "é".repeat(60) + " " + &"a".repeat(39) + " b";
        assert_eq!(wrapped(&text), text.replace(" b", "\nb\n\n"));
        assert!(wrapped(&"ab ".repeat(99)).lines().all(|line| line.len() <= 100));
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        assert_eq!([0.123, 2.0, 12.34, 345.6, 1_234.4].map(number), ["0.12", "2.00", "12.3", "346", "1,234"]);
    }
}
