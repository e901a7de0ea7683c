//! Korean particles, whose form hangs on how the word before them sounds at its end.
//!
//! Hangul says so itself; digits by their Sino-Korean reading; Latin letters by the way in which Korean writes such words
//! (`topic` is 토픽, `orders` is 오더스). The last is a rule of thumb, right for what Kafka users name things.

/// A pair of forms: after a consonant, after a vowel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Josa {
    /// 이/가
    Subject,
    /// 은/는
    Topic,
    /// 을/를
    Object,
    /// 과/와
    And,
    /// 으로/로
    Toward,
}

/// How a word sounds at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Vowel,
    /// ㄹ, which 로 treats as a vowel.
    Rieul,
    Consonant,
}

/// The word with the particle behind it.
pub(crate) fn with_josa(word: &str, josa: Josa) -> String {
    format!("{word}{}", form(josa, ending_of(word)))
}

fn form(josa: Josa, ending: Ending) -> &'static str {
    let has_final = ending != Ending::Vowel;
    match josa {
        Josa::Subject => pick(has_final, "이", "가"),
        Josa::Topic => pick(has_final, "은", "는"),
        Josa::Object => pick(has_final, "을", "를"),
        Josa::And => pick(has_final, "과", "와"),
        Josa::Toward => pick(ending == Ending::Consonant, "으로", "로"),
    }
}

fn pick(has_final: bool, after_consonant: &'static str, after_vowel: &'static str) -> &'static str {
    if has_final { after_consonant } else { after_vowel }
}

/// Closing brackets and quotes are not read out: what stands before them counts.
fn ending_of(word: &str) -> Ending {
    let spoken = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    match spoken.chars().last() {
        Some(letter @ '가'..='힣') => ending_of_hangul(letter),
        Some(digit @ '0'..='9') => ending_of_digit(digit),
        Some(letter) if letter.is_ascii_alphabetic() => ending_of_latin(spoken),
        Some(_) | None => Ending::Vowel,
    }
}

fn ending_of_hangul(letter: char) -> Ending {
    const RIEUL: u32 = 8;
    match (u32::from(letter) - u32::from('가')) % 28 {
        0 => Ending::Vowel,
        RIEUL => Ending::Rieul,
        _ => Ending::Consonant,
    }
}

/// 영 일 이 삼 사 오 육 칠 팔 구; a number that ends in zeros is read 십, 백, 천 or 만.
fn ending_of_digit(digit: char) -> Ending {
    match digit {
        '2' | '4' | '5' | '9' => Ending::Vowel,
        '1' | '7' | '8' => Ending::Rieul,
        _ => Ending::Consonant,
    }
}

fn ending_of_latin(word: &str) -> Ending {
    let start = word.rfind(|letter: char| !letter.is_ascii_alphabetic()).map_or(0, |index| index + 1);
    let last_word = &word[start..];
    if last_word.len() == 1 || last_word.chars().all(|letter| letter.is_ascii_uppercase()) {
        return ending_of_letter_name(last_word);
    }
    ending_of_spoken_word(&last_word.to_ascii_lowercase())
}

/// 엘 and 알 end in ㄹ, 엠 and 엔 in another consonant, all other letters in a vowel.
fn ending_of_letter_name(letters: &str) -> Ending {
    match letters.chars().last() {
        Some('L' | 'R' | 'l' | 'r') => Ending::Rieul,
        Some('M' | 'N' | 'm' | 'n') => Ending::Consonant,
        Some(_) | None => Ending::Vowel,
    }
}

fn ending_of_spoken_word(word: &str) -> Ending {
    const CONSONANT_ENDINGS: [&str; 14] =
        ["m", "n", "ng", "ck", "c", "p", "et", "ot", "it", "ut", "ame", "ime", "ine", "one"];
    if word.ends_with('l') || word.ends_with("le") {
        return Ending::Rieul;
    }
    if CONSONANT_ENDINGS.iter().any(|ending| word.ends_with(ending)) { Ending::Consonant } else { Ending::Vowel }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_follow_the_sound_before_them() {
        for (word, josa, expected) in [
            ("브로커", Josa::Subject, "브로커가"),
            ("토픽", Josa::Object, "토픽을"),
            ("기록", Josa::Topic, "기록은"),
            ("파일", Josa::Toward, "파일로"),
            ("토픽", Josa::Toward, "토픽으로"),
            ("리더", Josa::And, "리더와"),
            ("컨트롤러 100", Josa::Subject, "컨트롤러 100이"),
            ("브로커 1", Josa::Toward, "브로커 1로"),
            ("브로커 2", Josa::Object, "브로커 2를"),
            ("브로커 3", Josa::Toward, "브로커 3으로"),
            ("orders-0", Josa::Topic, "orders-0은"),
            ("orders", Josa::Object, "orders를"),
            ("topic", Josa::Object, "topic을"),
            ("offset", Josa::Subject, "offset이"),
            ("event", Josa::Subject, "event가"),
            ("ISR", Josa::Subject, "ISR이"),
            ("ISR", Josa::Toward, "ISR로"),
            ("console-producer", Josa::Topic, "console-producer는"),
            ("(1, 2, 3)", Josa::And, "(1, 2, 3)과"),
            ("`email`", Josa::Toward, "`email`로"),
        ] {
            assert_eq!(with_josa(word, josa), expected);
        }
    }
}
