//! Measures a drop.

use mrc::{DropRequest, MrcServer, params};

use super::Clock;
use crate::Res;
use crate::results::Work;

pub(super) async fn measure(server: MrcServer, name: String, value: u32, substring: bool, warm: bool) -> Res<Work> {
    if warm {
        // Connects, but touches no entry.
        server.drop_outdated_cache(params! { "No" => "such" }).await?;
    }
    let request = DropRequest::any(params! { name => value });
    let request = if substring { request.substring() } else { request };
    let request = if warm { request.dry_run() } else { request };
    let clock = Clock::start();
    let dropped = server.drop_outdated_cache(request).await?;
    Ok(clock.stop(1, dropped))
}
