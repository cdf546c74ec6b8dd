//! Values reach the server in a prepared statement or in the text.

use mrc_core::{Params, RowFormat, statement};
use mysql_async::Conn;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;

use super::failure::{failed, refused};
use super::literal::LiteralSpelling;
use crate::error::ExecuteError;
use crate::expand::{self, Expanded, expand, fill};

/// The way in which the values of params reach the server.
///
/// Some answers depend on it. In a prepared statement MySQL derives a placeholder's type from its
/// place: `COALESCE(an_int, ?)` with the text `none` is 0. A literal in the text keeps its own
/// type. `docs/types.md` lists the differences.
///
/// ```
/// use mrc_store::{MySqlConfig, ParamMode};
///
/// let config = MySqlConfig::from_url("mysql://localhost/shop")?.param_mode(ParamMode::Text);
/// # Ok::<(), mrc_store::ExecuteError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ParamMode {
    /// [`Text`](Self::Text) for the row formats `TypeScript` and `Python`, whose peers send text;
    /// [`Prepared`](Self::Prepared) for `Canonical`. Default.
    #[default]
    Auto,
    /// Binds values to prepared statements. A text costs two round trips at first, later one.
    Prepared,
    /// Writes values into the text as the row format's peer does. Each call costs one round trip.
    ///
    /// The session's `sql_mode`, which the server sends with each answer, decides how strings are
    /// escaped. Texts with a second statement are refused, and texts that servers may split
    /// differently, such as an executable comment (`/*! … */`).
    Text,
}

/// A checked call: its params fit, and nothing has been sent.
pub(super) enum Call<'a> {
    Prepared(Expanded<'a>),
    Text(TextCall<'a>),
}

pub(super) struct TextCall<'a> {
    sql: &'a str,
    params: &'a Params,
    format: RowFormat,
    /// The text for a session in which a backslash escapes.
    escaped: Result<String, ExecuteError>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        mode: ParamMode,
        sql: &'a str,
        params: &'a Params,
        format: RowFormat,
    ) -> Result<Self, ExecuteError> {
        let by_text = match mode {
            ParamMode::Auto => format != RowFormat::Canonical,
            ParamMode::Prepared => false,
            ParamMode::Text => true,
        };
        if !by_text {
            return expand(sql, params).map(Self::Prepared);
        }
        let escaped = with_literals(sql, params, LiteralSpelling { format, backslash_escapes: true });
        // Without a backslash every session reads the text alike.
        let escaped = if sql.contains('\\') { escaped } else { Ok(escaped?) };
        Ok(Self::Text(TextCall { sql, params, format, escaped }))
    }
}

impl Call<'_> {
    /// Returns whether a charset other than utf8mb4 may change the text. In gbk and others a
    /// backslash can be the second byte of a character, and then escapes nothing.
    fn depends_on_charset(&self) -> bool {
        match self {
            Self::Prepared(_) => false,
            Self::Text(TextCall { escaped: Ok(text), .. }) => text.contains('\\') && !text.is_ascii(),
            Self::Text(_) => true,
        }
    }

    /// Refuses a text that the session's charset would change. Needed after a caller's statements.
    pub(super) async fn check_charset(&self, conn: &mut Conn) -> Result<(), ExecuteError> {
        if !self.depends_on_charset() {
            return Ok(());
        }
        let charset = conn.query_first::<Vec<u8>, _>("SELECT @@SESSION.character_set_client").await;
        if charset.map_err(failed)?.is_some_and(|charset| charset.starts_with(b"utf8")) {
            return Ok(());
        }
        Err(refused(
            "values can't be written into a text for this session, as its charset isn't utf8mb4: leave out `SET NAMES`, or use ParamMode::Prepared",
        ))
    }
}

impl TextCall<'_> {
    pub(super) async fn for_session(self, conn: &mut Conn) -> Result<String, ExecuteError> {
        let is_alike = self.escaped.as_ref().is_ok_and(|text| !text.contains('\\'));
        if is_alike || has_backslash_escapes(conn).await? {
            return self.escaped;
        }
        with_literals(self.sql, self.params, LiteralSpelling { format: self.format, backslash_escapes: false })
    }
}

/// Returns whether a backslash escapes within a string. Each answer except an error reports it.
async fn has_backslash_escapes(conn: &mut Conn) -> Result<bool, ExecuteError> {
    if conn.last_ok_packet().is_none() {
        conn.ping().await.map_err(failed)?;
    }
    let Some(ok) = conn.last_ok_packet() else {
        return Err(refused("the server doesn't say which sql_mode its session has: use ParamMode::Prepared"));
    };
    Ok(!ok.status_flags().contains(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES))
}

/// Returns the text with literals in place of its placeholders.
fn with_literals(sql: &str, params: &Params, spelling: LiteralSpelling) -> Result<String, ExecuteError> {
    let places = statement::literal_places(sql, spelling.backslash_escapes).map_err(expand::refused)?;
    fill(sql, &places, params, ", ", |value, next, text| {
        // `x?` must not become the literal `x'41'`, and `?AND` not the name `5AND`.
        if text.bytes().next_back().is_some_and(may_join) {
            text.push(' ');
        }
        spelling.write(value, text);
        if next.is_some_and(may_join) {
            text.push(' ');
        }
    })
}

/// Returns whether the server may read a literal and this neighbouring byte as one token.
fn may_join(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"(),=<>!+-*/%;&|^~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use mrc_core::params;

    use super::*;

    fn text(sql: &str, params: &Params) -> Result<String, ExecuteError> {
        with_literals(sql, params, LiteralSpelling { format: RowFormat::Canonical, backslash_escapes: true })
    }

    #[track_caller]
    fn check(sql: &str, params: &Params, expected: &str) {
        assert_eq!(text(sql, params).unwrap(), expected);
    }

    #[test]
    fn values_stand_where_their_placeholders_stood() {
        check("SELECT 1", &params! {}, "SELECT 1");
        check("é = ? -- ?", &params! { "A" => "it's" }, r"é = 'it\'s' -- ?");
        check("a IN (?) AND '?' < ?", &params! { "A" => [1, 2], "B" => "?" }, "a IN (1, 2) AND '?' < '?'");
        check("LIMIT ?, ?;", &params! { "A" => 1, "B" => 2 }, "LIMIT 1, 2;");
    }

    #[test]
    fn a_literal_never_joins_its_neighbour() {
        check("SELECT x?", &params! { "A" => "41" }, "SELECT x '41'");
        check("a=?AND b", &params! { "A" => 5 }, "a=5 AND b");
        check("SELECT 'a'?'b'", &params! { "A" => "it" }, "SELECT 'a' 'it' 'b'");
        check("SELECT -?, 5-?", &params! { "A" => -1, "B" => -2 }, "SELECT --1, 5--2");
        check("SELECT t.?.5", &params! { "A" => 1 }, "SELECT t. 1 .5");
        check("SELECT ??", &params! { "A" => 1, "B" => 2 }, "SELECT 1 2");
    }

    #[test]
    fn mode_and_format_decide() {
        let is_text = |mode, format| {
            let params = params! {};
            matches!(Call::new(mode, "SELECT 1", &params, format), Ok(Call::Text(_)))
        };
        let formats = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];
        assert_eq!(formats.map(|format| is_text(ParamMode::Auto, format)), [false, true, true]);
        assert_eq!(formats.map(|format| is_text(ParamMode::Prepared, format)), [false; 3]);
        assert_eq!(formats.map(|format| is_text(ParamMode::Text, format)), [true; 3]);
    }

    #[test]
    fn values_that_cannot_be_sent_are_refused_before_connecting() {
        for sql in ["SELECT 1; SELECT 2", "SELECT /*! 1 */", "SELECT 'x"] {
            let params = params! {};
            let error = Call::new(ParamMode::Text, sql, &params, RowFormat::Canonical).err();
            assert!(matches!(error, Some(ExecuteError::Refused(_))), "{sql}: {error:?}");
        }
    }
}
