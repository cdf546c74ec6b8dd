//! The hashes of Redis: the slot of a key, and the name of a script.

/// The CRC16 of each byte, by the polynomial 0x1021.
const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u16) << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

const SLOTS: u16 = 16_384;

/// Returns the slot of a key in a cluster: the hash of its first `{…}` unless that is empty or
/// missing, else of the whole key.
pub(super) fn key_slot(key: &[u8]) -> u16 {
    let open = key.iter().position(|byte| *byte == b'{').and_then(|at| key.get(at + 1..));
    let tag = open.and_then(|rest| rest.get(..rest.iter().position(|byte| *byte == b'}')?));
    crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(key)) % SLOTS
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| crc << 8 ^ CRC16.get(usize::from((crc >> 8) as u8 ^ byte)).copied().unwrap_or(0))
}

/// Returns the SHA-1 of a text in hex digits.
pub(super) fn sha1(text: &str) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the check value of CRC-16/XMODEM");
        let check = |key: &str, expect: u16| assert_eq!(key_slot(key.as_bytes()), expect, "{key}");
        check("", 0);
        check("foo", 12_182);
        check("{foo}bar", 12_182);
        check("x{foo}{bar}", 12_182);
        check("foo{}{bar}", crc16(b"foo{}{bar}") % SLOTS);
        check("foo{{bar}}", crc16(b"{bar") % SLOTS);
        check("foo{bar", crc16(b"foo{bar") % SLOTS);
    }

    #[test]
    fn a_script_has_the_name_that_redis_gives_it() {
        assert_eq!(sha1("return 1"), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }
}
