//! The stream of events, as a replica gets it.

use std::time::Duration;

use futures_util::StreamExt;
use mrc_store::MySqlConfig;
use mrc_store::mysql_async::binlog::BinlogChecksumAlg;
use mrc_store::mysql_async::binlog::events::Event;
use mrc_store::mysql_async::prelude::Queryable;
use mrc_store::mysql_async::{BinlogStream, BinlogStreamRequest, Sid};
use tokio::time::timeout;

use super::SourceError;
use super::session::{server_of, within};
use crate::event::RawEvent;
use crate::position::Position;

/// How often an idle server sends a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A link without a sign of life for so long is dead.
const SILENCE: Duration = Duration::from_secs(5);

/// The events of a server, from a position on.
pub(crate) struct Stream {
    events: BinlogStream,
    /// Whether the driver returns the events of a compressed transaction, which the decoder has
    /// decompressed and checked itself.
    in_payload: bool,
}

impl Stream {
    /// Asks for all transactions that the position lacks. `server` is the identity of the server
    /// that is asked for their visibility. The address may belong to another one by now, whose
    /// transactions that one never shows.
    pub(crate) async fn open(
        config: &MySqlConfig,
        server_id: u32,
        server: &str,
        from: &Position,
    ) -> Result<Self, SourceError> {
        let mut conn = config.connect().await?;
        let found = server_of(&mut conn, SILENCE).await?;
        if found != server {
            return Err(SourceError::Broken(format!(
                "the address belongs to another server now: {found}, not {server}"
            )));
        }
        let nanos = HEARTBEAT.as_nanos();
        let sql = format!("SET @master_heartbeat_period = {nanos}, @source_heartbeat_period = {nanos}");
        within(SILENCE, conn.query_drop(sql)).await?;
        let request = BinlogStreamRequest::new(server_id);
        let request = match from {
            Position::MySql(set) => {
                let sids: Result<Vec<Sid<'static>>, _> = set.sources().map(|source| source.parse()).collect();
                request.with_gtid().with_gtid_set(sids.map_err(|error| SourceError::Broken(error.to_string()))?)
            }
            Position::MariaDb(_) => {
                // Without capability 4 the server sends dummy events instead of GTIDs.
                let text = from.to_string();
                let domains = text.strip_prefix("mariadb:").unwrap_or_default();
                let sql = format!(
                    "SET @mariadb_slave_capability = 4, @slave_connect_state = '{domains}', @slave_gtid_strict_mode = 0"
                );
                within(SILENCE, conn.query_drop(sql)).await?;
                request
            }
        };
        let events = timeout(SILENCE, conn.get_binlog_stream(request)).await.map_err(|_| silent())??;
        Ok(Self { events, in_payload: false })
    }

    /// Returns the next event. An idle server sends heartbeats.
    pub(crate) async fn next(&mut self) -> Result<Event, SourceError> {
        loop {
            let next = timeout(SILENCE, self.events.next()).await.map_err(|_| silent())?;
            let event = next.ok_or_else(|| SourceError::Broken("the server ended the stream".into()))??;
            let header = event.header();
            if !is_intact(&event) {
                let (kind, end) = (header.event_type_raw(), header.log_pos());
                let why = format!("the checksum of the event of type {kind:#04x} that ends at position {end} is wrong");
                return Err(SourceError::Corrupt(why));
            }
            if self.in_payload && header.log_pos() == 0 {
                continue;
            }
            self.in_payload = header.event_type_raw() == PAYLOAD;
            return Ok(event);
        }
    }
}

const PAYLOAD: u8 = 0x28;

/// Returns whether the event has the checksum that the server has announced, or none is announced.
fn is_intact(event: &Event) -> bool {
    let footer = event.footer();
    match footer.get_checksum_alg() {
        // The events of a compressed transaction have none.
        _ if !footer.get_checksum_enabled() => true,
        Ok(None | Some(BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_OFF)) => true,
        Ok(Some(kind @ BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_CRC32)) => {
            event.checksum().is_some_and(|sum| u32::from_le_bytes(sum) == event.calc_checksum(kind))
        }
        Err(_) => false,
    }
}

pub(crate) fn raw(event: &Event) -> RawEvent<'_> {
    let header = event.header();
    RawEvent {
        kind: header.event_type_raw(),
        timestamp: header.timestamp(),
        server_id: header.server_id(),
        log_pos: header.log_pos(),
        flags: header.flags_raw(),
        body: event.data(),
    }
}

fn silent() -> SourceError {
    SourceError::Broken(format!("the server was silent for {SILENCE:?}"))
}

#[cfg(test)]
mod tests {
    use mrc_store::mysql_async::binlog::BinlogVersion;
    use mrc_store::mysql_async::binlog::events::FormatDescriptionEvent;

    use super::*;

    #[test]
    fn recorded_events_are_intact_and_are_not_with_a_flipped_bit() {
        for name in ["mysql-values", "mysql-compressed", "mariadb-values", "mariadb-statements"] {
            let path = format!("{}/tests/golden/{name}.binlog", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let (mut rest, mut format) = (&bytes[4..], FormatDescriptionEvent::new(BinlogVersion::Version4));
            while !rest.is_empty() {
                let size = u32::from_le_bytes(rest[9..13].try_into().unwrap());
                let (event, after) = rest.split_at(size as usize);
                let whole = Event::read(&format, event).unwrap();
                assert!(is_intact(&whole), "{name}: {whole:?}");
                let is_format = whole.header().event_type_raw() == 0x0F;
                for at in (19..event.len()).step_by(5).filter(|_| !is_format) {
                    let mut flipped = event.to_vec();
                    flipped[at] ^= 1 << (at % 8);
                    assert!(!is_intact(&Event::read(&format, &*flipped).unwrap()), "{name}: byte {at} of {whole:?}");
                }
                format = whole.fde().clone();
                rest = after;
            }
        }
    }
}
