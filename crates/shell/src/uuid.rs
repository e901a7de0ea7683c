//! Topic ids as text: 22 characters of URL-safe base64 (`org.apache.kafka.common.Uuid.fromString`).

use wire::TopicId;

const LONGEST: usize = 24;

/// Reads a topic id.
///
/// # Errors
/// The message of the `IllegalArgumentException` that Kafka throws.
pub fn parse_uuid(text: &str) -> Result<TopicId, String> {
    if text.chars().count() > LONGEST {
        let prefix: String = text.chars().take(LONGEST).collect();
        return Err(format!("Input string with prefix `{prefix}` is too long to be decoded as a base64 UUID"));
    }
    let bytes = decode(text)?;
    let exact: [u8; 16] = bytes.as_slice().try_into().map_err(|_| {
        format!(
            "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 bytes of a \
             base64-encoded UUID",
            bytes.len()
        )
    })?;
    Ok(TopicId(u128::from_be_bytes(exact)))
}

/// `java.util.Base64.getUrlDecoder().decode`, padding optional.
fn decode(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for character in digits.chars() {
        bits = bits << 6 | value_of(character)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    if held >= 6 {
        return Err("Last unit does not have enough valid bits".to_owned());
    }
    Ok(bytes)
}

fn value_of(character: char) -> Result<u32, String> {
    match character {
        'A'..='Z' => Ok(character as u32 - 'A' as u32),
        'a'..='z' => Ok(character as u32 - 'a' as u32 + 26),
        '0'..='9' => Ok(character as u32 - '0' as u32 + 52),
        '-' => Ok(62),
        '_' => Ok(63),
        other => Err(format!("Illegal base64 character {:x}", other as u32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_id_prints_reads_back() {
        for id in [0, 1, u128::MAX, 0x1234_5678_9abc_def0_0fed_cba9_8765_4321] {
            assert_eq!(parse_uuid(&TopicId(id).to_string()), Ok(TopicId(id)));
        }
    }

    #[test]
    fn what_is_no_id_is_refused_in_kafkas_words() {
        let cases = [
            (
                "xyz",
                "Input string `xyz` decoded as 2 bytes, which is not equal to the expected 16 bytes of a \
                 base64-encoded UUID",
            ),
            (
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "Input string with prefix `aaaaaaaaaaaaaaaaaaaaaaaa` is too long to be decoded as a base64 UUID",
            ),
            ("!", "Illegal base64 character 21"),
        ];
        for (text, message) in cases {
            assert_eq!(parse_uuid(text), Err(message.to_owned()));
        }
    }
}
