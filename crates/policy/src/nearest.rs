//! What was meant by a word that is not known.

/// The known word nearest to one that is not, if it is near enough to be a slip of the pen.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let (distance, candidate) = known.iter().map(|known| (distance(word, known), *known)).min()?;
    (distance <= candidate.chars().count().div_ceil(3)).then_some(candidate)
}

/// Levenshtein's distance, of the first 64 characters. O(64²).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_seen_and_guesses_are_not() {
        assert_eq!(
            nearest("dispositon", &["name", "disposition"]),
            Some("disposition")
        );
        assert_eq!(
            nearest("network.contry", &["network.country", "network.class"]),
            Some("network.country")
        );
        assert_eq!(nearest("zzz", &["name", "when"]), None);
    }
}
