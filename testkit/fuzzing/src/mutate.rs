//! A small seeded mutator: the same seed and corpus give the same inputs on every machine.

/// Longest input it makes by splicing and copying, bytes. Inputs of the corpus may be longer.
const INPUT_BYTES_MAX: usize = 256 * 1024;

/// Most changes to one input.
const CHANGES_MAX: u64 = 6;

/// What hostile input likes to contain. Sources: RELIABILITY S-04 and S-11.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"1e999999",
    b"-1",
    b"0.0",
    b"18446744073709551616",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1e-400",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b"\x1b[31m",
    b"<",
    b">",
    b"<Event",
    b"</Event>",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"&b;",
    b"&#0;",
    b"<![CDATA[",
    b"]]>",
    b"::ffff:127.0.0.1",
    b"::",
    b"0.0.0.0/0",
    b"::/0",
    b"fe80::1%eth0",
    b"1970-01-01T00:00:00Z",
    b"9999-12-31T23:59:59.999999999Z",
    b"2026-02-30T25:61:61+99:99",
    b"0000-00-00",
    b"Not Available",
    b"-",
    b"${jndi:ldap://x}",
    b"</script>",
];

/// A stream of inputs made from a corpus.
#[derive(Debug, Clone)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A stream of its own for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next input: one of the corpus, changed in a few places. Empty for an empty corpus.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.choose(corpus).cloned().unwrap_or_default();
        for _ in 0..=self.below(CHANGES_MAX) {
            self.change(&mut input, corpus);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        match self.below(8) {
            0 => self.flip_bit(input),
            1 => self.set_byte(input),
            2 => self.remove(input),
            3 => self.repeat(input),
            4 => self.splice(input, corpus),
            5 => {
                let length = self.position(input);
                input.truncate(length);
            }
            _ => self.insert_token(input),
        }
    }

    fn flip_bit(&mut self, input: &mut [u8]) {
        let bit = self.below(8);
        let at = self.position(input);
        if let Some(byte) = input.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    fn set_byte(&mut self, input: &mut [u8]) {
        let value = u8::try_from(self.below(256)).unwrap_or(u8::MAX);
        let at = self.position(input);
        if let Some(byte) = input.get_mut(at) {
            *byte = value;
        }
    }

    fn remove(&mut self, input: &mut Vec<u8>) {
        let (start, end) = self.range(input);
        input.drain(start..end);
    }

    /// Repeats a range, now and then so often that limits are met.
    fn repeat(&mut self, input: &mut Vec<u8>) {
        let (start, end) = self.range(input);
        let piece = input.get(start..end).unwrap_or_default().to_vec();
        let wanted = if self.below(16) == 0 { 4096 } else { self.below(8) };
        let room = INPUT_BYTES_MAX.saturating_sub(input.len()) / piece.len().max(1);
        let times = usize::try_from(wanted).unwrap_or(0).min(room);
        input.splice(end..end, piece.repeat(times));
    }

    fn splice(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let Some(other) = self.choose(corpus) else {
            return;
        };
        let (start, end) = self.range(other);
        let piece = other.get(start..end).unwrap_or_default();
        if input.len() + piece.len() <= INPUT_BYTES_MAX {
            let at = self.position(input);
            input.splice(at..at, piece.iter().copied());
        }
    }

    fn insert_token(&mut self, input: &mut Vec<u8>) {
        let token = self.choose(TOKENS).copied().unwrap_or_default();
        let at = self.position(input);
        input.splice(at..at, token.iter().copied());
    }

    fn choose<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.position(list);
        list.get(at).or(list.first())
    }

    /// A position in the list, its end included.
    fn position<T>(&mut self, list: &[T]) -> usize {
        let most = u64::try_from(list.len()).unwrap_or(0);
        usize::try_from(self.below(most + 1)).unwrap_or(0)
    }

    /// Start and end of a part of the list.
    fn range<T>(&mut self, list: &[T]) -> (usize, usize) {
        let (a, b) = (self.position(list), self.position(list));
        (a.min(b), a.max(b))
    }

    /// A number below `most`, 0 for 0. The bias of the remainder does no harm here.
    fn below(&mut self, most: u64) -> u64 {
        self.draw().checked_rem(most).unwrap_or(0)
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn corpus() -> Vec<Vec<u8>> {
        vec![b"{\"user\":\"alice\"}".to_vec(), b"<Event/>".to_vec()]
    }

    #[test]
    fn the_seed_decides() {
        let draw = |seed| -> Vec<Vec<u8>> {
            let mut mutator = Mutator::new(seed);
            (0..200).map(|_| mutator.next(&corpus())).collect()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn inputs_differ_and_stay_within_the_limit() {
        let mut mutator = Mutator::new(7);
        let inputs: BTreeSet<Vec<u8>> = (0..2000).map(|_| mutator.next(&corpus())).collect();
        assert!(inputs.len() > 1000, "only {} different inputs", inputs.len());
        // A token or two may still come on top.
        assert!(inputs.iter().all(|input| input.len() < INPUT_BYTES_MAX + 1024));
        assert!(
            inputs.iter().any(|input| input.len() > 10_000),
            "no limit is ever met"
        );
        assert_eq!(Mutator::new(1).next(&[]).len(), Mutator::new(1).next(&[]).len());
    }
}
