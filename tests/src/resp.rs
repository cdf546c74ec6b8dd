//! The part of Redis's protocol that the harness needs: a command's answer, and commands on a wire.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

type Stream = BufReader<TcpStream>;

/// Runs the commands on one new connection and returns the last answer as text.
///
/// An array comes as lines, null as an empty text, an error as its text.
pub(crate) async fn run(port: u16, commands: &[&[&str]]) -> io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    let mut answer = String::new();
    for command in commands {
        stream.write_all(&encode(command)).await?;
        answer = Box::pin(read(&mut stream)).await?;
    }
    Ok(answer)
}

fn encode(command: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", command.len()).into_bytes();
    for part in command {
        out.extend_from_slice(format!("${}\r\n{part}\r\n", part.len()).as_bytes());
    }
    out
}

async fn read(stream: &mut Stream) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).unwrap_or_default();
    match kind {
        "$" => match rest.parse::<usize>() {
            Ok(length) => {
                let mut bytes = vec![0; length + 2];
                stream.read_exact(&mut bytes).await?;
                bytes.truncate(length);
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Err(_) => Ok(String::new()),
        },
        "*" => {
            let mut items = Vec::new();
            for _ in 0..rest.parse().unwrap_or(0) {
                items.push(Box::pin(read(stream)).await?);
            }
            Ok(items.join("\n"))
        }
        _ => Ok(rest.to_owned()),
    }
}

/// Takes the complete commands off the front of `buffer`. Drops bytes that are no commands.
pub(crate) fn take_commands(buffer: &mut Vec<u8>) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut at = 0;
    while at < buffer.len() {
        if buffer[at] != b'*' {
            at = buffer.len();
            break;
        }
        let Some((parts, end)) = redis_command(buffer, at) else { break };
        commands.push(parts.into_iter().map(|part| String::from_utf8_lossy(&buffer[part]).into_owned()).collect());
        at = end;
    }
    buffer.drain(..at);
    commands
}

/// Returns the ranges of the parts of the command at `at`, and its end; `None` if incomplete.
pub fn redis_command(buffer: &[u8], at: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let (count, mut at) = number(buffer, at)?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let (length, start) = number(buffer, at)?;
        parts.push(start..start + length);
        at = start + length + 2;
    }
    (at <= buffer.len()).then_some((parts, at))
}

// The number of a line such as "*2\r\n" or "$5\r\n", and where the next line starts.
fn number(buffer: &[u8], at: usize) -> Option<(usize, usize)> {
    let line = buffer.get(at + 1..)?;
    let length = line.windows(2).position(|pair| pair == b"\r\n")?;
    let number = std::str::from_utf8(&line[..length]).ok()?.parse().ok()?;
    Some((number, at + 1 + length + 2))
}

#[cfg(test)]
mod tests {
    use super::{encode, take_commands};

    #[test]
    fn commands_are_taken_whole_however_the_bytes_come() {
        let mut wire = encode(&["SET", "a", "x\r\n*1"]);
        wire.extend(encode(&["GET", ""]));
        for cut in 0..wire.len() {
            let mut buffer = wire[..cut].to_vec();
            let mut taken = take_commands(&mut buffer);
            buffer.extend(&wire[cut..]);
            taken.extend(take_commands(&mut buffer));
            assert_eq!(taken, [vec!["SET", "a", "x\r\n*1"], vec!["GET", ""]], "cut at {cut}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn bytes_that_are_no_command_are_skipped() {
        let mut buffer = b"\x05\x00\x00\x03SELECT".to_vec();
        assert!(take_commands(&mut buffer).is_empty());
        assert!(buffer.is_empty());
    }
}
