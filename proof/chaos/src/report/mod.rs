//! Reports the results: tables, plots, and the goals that were missed.

mod plot;
mod tables;

use std::path::Path;

use mrc_tests::Machine;

use crate::Res;
use crate::record::{Outcome, Results, Sample};

/// Returns the tables in Markdown, which reads well on a terminal too.
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

pub(crate) fn plot(results: &Results, folder: &Path) -> Res<()> {
    std::fs::create_dir_all(folder)?;
    for measured in &results.series {
        std::fs::write(folder.join(measured.file), plot::svg(results, measured))?;
    }
    Ok(())
}

/// Rewrites the measured part of docs/chaos.md, and the plots.
pub(crate) fn write(results: &Results) -> Res<()> {
    plot(results, &mrc_chart::docs().join("chaos"))?;
    mrc_chart::rewrite("chaos.md", "chaos", text(results).trim_end())
}

pub(crate) fn broken(results: &Results) -> Vec<String> {
    judged(results).into_iter().filter(|(_, count)| *count > 0).map(|(goal, count)| format!("{count} {goal}")).collect()
}

/// Returns what must never happen, with the number of times that it did.
fn judged(results: &Results) -> [(&'static str, usize); 4] {
    let count = |is_bad: &dyn Fn(&Sample) -> bool| {
        let samples = (0..results.phases.len())
            .flat_map(|number| results.series.iter().flat_map(move |measured| results.of(measured, number)));
        samples.filter(|sample| is_bad(sample)).count()
    };
    let is_error = |sample: &Sample| matches!(sample.outcome, Outcome::Refused | Outcome::Failed);
    [
        (
            "answers older than an invalidation that had returned before the call",
            count(&|sample| sample.outcome == Outcome::Wrong),
        ),
        ("calls that outlived their deadline by a second", count(&|sample| sample.outcome == Outcome::Hung)),
        ("errors while MySQL was there", count(&|sample| is_error(sample) && !results.met_mysql(sample))),
        ("errors that don't say that the call may be tried again", count(&|sample| sample.outcome == Outcome::Failed)),
    ]
}

fn goals(results: &Results) -> String {
    let lines = judged(results).map(|(goal, count)| vec![goal.to_owned(), count.to_string()]);
    tables::table(&["never", "seen"], lines)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use mrc_tests::Machine;

    use super::*;
    use crate::record::{Counts, Measured};

    /// Returns how many errors a report counts of one call, which was due and ended at these
    /// seconds. Phases last 10 s. MySQL is away in the second, and comes back in the third.
    fn errors(due: u64, took: u64, outcome: Outcome) -> usize {
        let seconds = Duration::from_secs;
        let plan = crate::plan::phases(false);
        let phases = [&plan[2], &plan[3], &plan[4], &plan[5]].into_iter().enumerate().map(|(at, phase)| {
            let from = seconds(10 * at as u64);
            (*phase, from..from + seconds(10))
        });
        let (events, errors) = (Arc::<Counts>::default(), Arc::<Counts>::default());
        let samples = vec![Sample { due: seconds(due), took: seconds(took), outcome }];
        let results = Results {
            machine: Machine::look(),
            rate: 1,
            phases: phases.collect(),
            series: vec![Measured { name: "", file: "", samples, events, errors }],
            writer: Arc::default(),
        };
        judged(&results)[2].1
    }

    #[test]
    fn an_error_counts_where_mysql_was_there_for_the_whole_call() {
        assert_eq!(errors(3, 5, Outcome::Refused), 1, "it ended before the outage");
        assert_eq!(errors(8, 5, Outcome::Refused), 0, "it met the outage");
        assert_eq!(errors(13, 1, Outcome::Refused), 0, "it was due in the outage");
        assert_eq!(errors(22, 1, Outcome::Refused), 0, "MySQL was coming back");
        assert_eq!(errors(29, 5, Outcome::Refused), 0, "it began when MySQL was coming back");
        assert_eq!(errors(33, 1, Outcome::Failed), 1, "MySQL was back");
        assert_eq!(errors(3, 5, Outcome::Read), 0, "no error");
    }
}
