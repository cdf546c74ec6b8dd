//! A race of mrc against other caches of Rust and both published peers. docs/internals/race.md
//! explains it.
//!
//! ```text
//! just race            # prints the table
//! just race --write    # and writes it into docs/internals/race.md
//! ```

mod contender;
mod page;
mod race;
mod row;

use contender::peer::Report;
use mrc_tests::Redis;
use page::Line;

#[tokio::main]
async fn main() {
    let write = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => {
            eprintln!("usage: just race [--write]");
            std::process::exit(2);
        }
    };
    let redis = Redis::start().await;
    let mut lines = Vec::new();
    for entry in contender::all(&redis.url()).await {
        let outcome = race::run(entry.contender).await;
        let version = page::locked_version(entry.package);
        lines.push(Line { name: entry.name, version, place: entry.place, calls: entry.calls, outcome });
    }
    let peer = |name, calls, Report { version, outcome }| Line { name, version, place: "Redis", calls, outcome };
    let npm = contender::peer::npm(&redis.url()).await;
    lines.push(peer("the npm peer", "`withCache`, `dropOutdatedCache`", npm));
    let pypi = contender::peer::pypi(&redis.url()).await;
    lines.push(peer("the PyPI peer", "`with_cache`, `drop_outdated_cache`", pypi));
    let table = page::table(&lines);
    println!("{table}");
    if write {
        page::write(&table);
    }
}
