//! `mrc invalidate`: invalidates the entries that have a tag.

use mrc::Select;
use serde::Serialize;

use crate::args::{Global, InvalidateArgs};
use crate::connect;
use crate::error::Failure;
use crate::output::Output;

pub(crate) async fn run(args: &InvalidateArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let server = connect::server(global, args.retry, output)?;
    let select = if args.all { Select::all(&args.tags) } else { Select::any(&args.tags) };
    let done = server.invalidate(select).await;
    server.close().await;
    let entries = done?;
    if output.is_json() {
        return output.document(&Invalidated { entries });
    }
    output.result(entries.to_string().as_bytes())
}

#[derive(Serialize)]
struct Invalidated {
    /// The number of invalidated entries.
    entries: u64,
}
