//! HTML of a lesson's sentences.

use pushforward::derivation::html;

/// Converts words: code between backquotes, and subscripts as in J_f and z_1.
pub(super) fn words(text: &str) -> String {
    let escaped = html::words(text);
    let letters: Vec<char> = escaped.chars().collect();
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() && c.is_ascii() || *c == '_');
    let mut set = String::new();
    let mut k = 0;
    while k < letters.len() {
        let single = letters[k].is_ascii_alphabetic() && !word(k.checked_sub(1).and_then(|k| letters.get(k)));
        let index = letters.get(k + 2).is_some_and(char::is_ascii_alphanumeric) && !word(letters.get(k + 3));
        if !(single && index && letters.get(k + 1) == Some(&'_')) {
            set.push(letters[k]);
            k += 1;
            continue;
        }
        // In J_f⁻¹ the subscript is f⁻¹.
        let more = letters[k + 3..].iter().take_while(|c| matches!(c, '⁻' | '¹')).count();
        let index: String = letters[k + 2..k + 3 + more].iter().collect();
        set.push_str(&format!("{}<sub>{index}</sub>", letters[k]));
        k += 3 + more;
    }
    set
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn indices_hang_and_names_do_not() {
        assert_eq!(words("|det J_f⁻¹(x)|"), "|det J<sub>f⁻¹</sub>(x)|");
        assert_eq!(words("p_Z(z), z_1"), "p<sub>Z</sub>(z), z<sub>1</sub>");
        assert_eq!(words("bill_depth and 02_the_tape"), "bill_depth and 02_the_tape");
    }
}
