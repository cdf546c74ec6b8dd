//! What came out: tables, plots, and which goals were missed.

mod axes;
mod plot;
mod tables;

use std::path::{Path, PathBuf};
use std::time::Duration;

use mrc_tests::Machine;

use crate::Res;
use crate::record::{Outcome, Results, Sample};

const BEGIN: &str = "<!-- Written by `just chaos --write`: from here … -->";
const END: &str = "<!-- … to here. -->";

/// The tables, in Markdown, which reads well on a terminal too.
pub(crate) fn text(results: &Results) -> String {
    let (machine, before, after) = (&results.machine, &results.machine.load, Machine::load_now());
    let mut out = format!("Measured on {machine}. Load before the run: {before}, at its end: {after}.\n\n");
    out += &goals(results);
    for measured in &results.series {
        out += &tables::calls(results, measured);
    }
    out += &tables::recoveries(results);
    out += &tables::writes(results);
    for measured in &results.series {
        let title = format!("Events, {}", measured.name);
        out += &tables::counts(&title, results, &measured.events);
        let title = format!("What failed calls said, {}", measured.name);
        out += &tables::counts(&title, results, &measured.errors);
    }
    out
}

/// Draws the plots into a folder.
pub(crate) fn plot(results: &Results, folder: &Path) -> Res<()> {
    std::fs::create_dir_all(folder)?;
    for measured in &results.series {
        std::fs::write(folder.join(measured.file), plot::svg(results, measured))?;
    }
    Ok(())
}

/// Rewrites the part of docs/chaos.md that is measured, and the plots.
pub(crate) fn write(results: &Results) -> Res<()> {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    plot(results, &docs.join("chaos"))?;
    let path = docs.join("chaos.md");
    let page = std::fs::read_to_string(&path)?;
    let (Some((before, _)), Some((_, after))) = (page.split_once(BEGIN), page.split_once(END)) else {
        return Err("docs/chaos.md has lost the marks that its measured part stands between".into());
    };
    Ok(std::fs::write(path, format!("{before}{BEGIN}\n\n{}\n{END}{after}", text(results).trim_end()))?)
}

/// What must never be, and was.
pub(crate) fn broken(results: &Results) -> Vec<String> {
    judged(results).into_iter().filter(|(_, count)| *count > 0).map(|(goal, count)| format!("{count} {goal}")).collect()
}

/// What must never be, and how often it was.
fn judged(results: &Results) -> [(&'static str, usize); 4] {
    let count = |is_bad: &dyn Fn(&Sample, bool) -> bool| {
        let phases = results.phases.iter().enumerate();
        let bad = phases.flat_map(|(number, (phase, _))| {
            let samples = results.series.iter().flat_map(move |measured| results.of(measured, number));
            samples.filter(move |sample| is_bad(sample, phase.after_mysql))
        });
        bad.count()
    };
    let is_error = |sample: &Sample| matches!(sample.outcome, Outcome::Refused | Outcome::Failed);
    [
        (
            "answers older than an invalidation that had returned before the call",
            count(&|sample, _| sample.outcome == Outcome::Wrong),
        ),
        ("calls that outlived their deadline by a second", count(&|sample, _| sample.outcome == Outcome::Hung)),
        ("errors while MySQL was there", count(&|sample, after_mysql| is_error(sample) && !after_mysql)),
        (
            "errors that don't say that the call may be tried again",
            count(&|sample, _| sample.outcome == Outcome::Failed),
        ),
    ]
}

fn goals(results: &Results) -> String {
    let lines = judged(results).map(|(goal, count)| vec![goal.to_owned(), count.to_string()]);
    tables::table(&["never", "seen"], lines)
}

/// The latency that this part of the calls doesn't exceed. `sorted` is sorted.
fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let at = |part| quantile(&sorted, part).as_millis();
        assert_eq!((at(0.5), at(0.99), at(0.999), at(1.0)), (100, 198, 200, 200));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
